"""Sandboxes that no row stands for, and settings that differ: found, told, and settled or not."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from sandboxes import services
from sandboxes.models import Heartbeat, Installation, Orphan, Phase, Sandbox, SandboxEvent
from sandboxes.reconciler import drift, orphans, provider_sync
from sandboxes.reconciler.reconcile import reconcile
from tests.support.factories import SandboxFactory, UserFactory, pending
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:.*already exists")]


@pytest.fixture
def old(monkeypatch):
    """Nothing is too young to be deleted."""
    monkeypatch.setattr(orphans, "YOUNGEST", timedelta(0))


@pytest.fixture
def at_provider(provider):
    """Makes a sandbox without a row."""

    def make(name, **labels):
        metadata = {"name": name, "labels": {k.replace("_", "-"): v for k, v in labels.items()}}
        spec = {"runtime": {"image": "blaxel/prod-base:latest", "memory": 1024}}
        provider.server.http.post("/v0/sandboxes", json={"metadata": metadata, "spec": spec})

    return make


def ours():
    return Installation.current().key


def look():
    Heartbeat.objects.all().delete()
    provider_sync.sync_all()


def command(*args):
    out = StringIO()
    call_command("orphans", *args, stdout=out, stderr=out)
    return out.getvalue()


@pytest.mark.exhaustive
def test_a_full_look_lists_what_no_row_stands_for(at_provider, made, client, admin_user):
    at_provider("user-900", manta_owner="900", manta_installation=ours())
    at_provider("user-901", manta_owner="901", manta_installation="another")
    at_provider("somebody-elses-service")

    look()

    found = dict(Orphan.objects.values_list("name", "reason"))
    assert found == {"user-900": "no_row", "user-901": "other_installation"}
    client.force_login(admin_user)
    assert "user-900" in client.get("/admin/sandboxes/orphan/").content.decode()


def test_an_orphan_that_went_is_listed_no_more(at_provider, provider):
    at_provider("user-900", manta_owner="900", manta_installation=ours())
    look()
    provider.server.http.delete("/v0/sandboxes/user-900")

    look()

    assert not Orphan.objects.exists()


def test_a_row_whose_sandbox_became_anothers_is_reported_and_nothing_touched(
    made, provider, at_provider, record_at_provider
):
    provider.delete_all()
    at_provider(made.name, manta_owner="999")

    look()
    reconcile(made.pk)

    made.refresh_from_db()
    assert (made.phase, made.error_code) == (Phase.FAILED, "wrong_owner")
    assert Orphan.objects.get().reason == "other_owner"
    assert SandboxEvent.objects.filter(action="gave up", outcome="wrong_owner").exists()
    assert record_at_provider(made)["status"] == "DEPLOYED"


def test_another_installations_sandbox_of_the_same_user_id_is_not_adopted(
    alice, provider, at_provider
):
    sandbox = services.provisioning.ensure_sandbox(user=alice)
    at_provider(sandbox.name, manta_owner=str(alice.pk), manta_installation="another")

    reconcile(sandbox.pk)

    sandbox.refresh_from_db()
    assert (sandbox.phase, sandbox.error_code) == (Phase.FAILED, "wrong_owner")


def test_the_command_lists_and_deletes_nothing_by_default(at_provider, provider, old):
    at_provider("user-900", manta_owner="900", manta_installation=ours())

    output = command()

    assert "user-900: it belongs to no user" in output
    assert "can be deleted" in output
    assert provider.server.names() == ["user-900"]


def test_the_command_deletes_what_it_is_told(at_provider, provider, old):
    at_provider("user-900", manta_owner="900", manta_installation=ours())
    at_provider("user-901", manta_owner="901", manta_installation=ours())

    output = command("--delete", "user-900", "--yes")

    assert "user-900: deleted." in output
    wait_until(lambda: provider.server.names() == ["user-901"])
    assert SandboxEvent.objects.get(action="deleted").sandbox_name == "user-900"


def test_all_are_those_that_nobody_gets_back(at_provider, provider, old, alice):
    at_provider("user-900", manta_owner="900", manta_installation=ours())
    at_provider(f"user-{alice.pk}", manta_owner=str(alice.pk), manta_installation=ours())

    output = command("--all", "--yes")

    assert "alice@example.com gets it back at the next sign-in" in output
    wait_until(lambda: provider.server.names() == [f"user-{alice.pk}"])


@pytest.mark.parametrize(
    "labels",
    [
        {"manta_owner": "900", "manta_installation": "another"},
        {"manta_owner": "900"},
        {},
    ],
)
def test_the_command_leaves_alone_what_is_not_this_installations(
    at_provider, provider, old, labels
):
    at_provider("user-900", **labels)

    with pytest.raises(CommandError):
        command("--delete", "user-900", "--yes")

    assert provider.server.names() == ["user-900"]


def test_the_command_leaves_alone_what_is_younger_than_an_hour(at_provider, provider):
    at_provider("user-900", manta_owner="900", manta_installation=ours())

    with pytest.raises(CommandError):
        command("--delete", "user-900", "--yes")

    assert provider.server.names() == ["user-900"]


def test_the_command_leaves_alone_what_has_a_row(made, provider, old):
    with pytest.raises(CommandError):
        command("--delete", made.name, "--yes")

    assert provider.server.names() == [made.name]


def test_the_command_asks_first(at_provider, provider, old, monkeypatch):
    at_provider("user-900", manta_owner="900", manta_installation=ours())
    monkeypatch.setattr("builtins.input", lambda question: "no")

    assert "Nothing deleted." in command("--all")
    assert provider.server.names() == ["user-900"]


# ---- Settings that differ


def test_settings_that_differ_are_told_with_what_would_settle_them(made, provider):
    Sandbox.objects.update(memory_mb=8192, image="blaxel/node:latest", region="eu-lon-1")

    look()

    made.refresh_from_db()
    assert made.drift["memory_mb"] == "4096"
    assert set(made.drift) >= {"memory_mb", "image"}
    told = "memory (MB): 4096 at the provider, 8192 wanted. Takes effect on Reset."
    assert told in drift.notes(made)
    assert SandboxEvent.objects.filter(action="drifted").count() == 1


def test_what_differs_is_put_on_the_record_once(made):
    Sandbox.objects.update(memory_mb=8192)

    look()
    look()

    assert SandboxEvent.objects.filter(action="drifted").count() == 1


def test_a_sandbox_made_as_asked_has_no_drift(made):
    look()

    made.refresh_from_db()
    assert made.drift == {}


def test_labels_are_corrected_and_the_sandbox_keeps_running(serving, provider, record_at_provider):
    wanted = {**serving.labels, "manta-installation": ours()}
    Sandbox.objects.update(labels=wanted)
    before = provider.server.http.get(provider.server.inside(serving.name, "/process")).json()

    look()
    reconcile(serving.pk)
    look()

    serving.refresh_from_db()
    after = provider.server.http.get(provider.server.inside(serving.name, "/process")).json()
    assert record_at_provider(serving)["metadata"]["labels"] == wanted
    assert serving.drift == {}
    assert [p["pid"] for p in after] == [p["pid"] for p in before]


def test_what_differs_is_put_right_by_a_reset(made, provider):
    Sandbox.objects.update(memory_mb=2048)
    services.deletion.reset_sandbox(sandbox=made, actor=made.owner)
    settle(made)

    look()

    made.refresh_from_db()
    assert made.phase == Phase.READY
    assert made.drift == {}


def settle(sandbox):
    def is_ready():
        Sandbox.objects.update(next_attempt_at=timezone.now())
        reconcile(sandbox.pk)
        sandbox.refresh_from_db()
        return sandbox.phase == Phase.READY

    wait_until(is_ready)


@pytest.mark.exhaustive
def test_many_rows_are_looked_at_a_page_at_a_time(made, provider, monkeypatch):
    monkeypatch.setattr("sandboxes.control_plane.sandboxes.PAGE", 1)
    other = SandboxFactory(owner=UserFactory(), **pending())
    reconcile(other.pk)
    provider.calls.clear()

    look()

    assert provider.calls.count(("GET", "/sandboxes")) >= 2
    assert not Sandbox.objects.due().exists()
