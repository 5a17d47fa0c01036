"""The reconciler against the real SDK and a real local_blaxel that does as it should."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.deletion import delete_account
from sandboxes import control_plane, services
from sandboxes.models import Phase, Sandbox, SandboxEvent
from sandboxes.models.expiry import expiry_of
from sandboxes.reconciler.reconcile import reconcile
from tests.support.factories import SandboxFactory, UserFactory, pending
from tests.support.waiting import wait_until


def test_a_sandbox_is_made_with_a_starter_that_answers_on_its_port(
    serving, provider, record_at_provider
):
    server = provider.server
    page = server.http.get(server.inside(serving.name, "/port/3000/"))
    readme = server.http.get(server.inside(serving.name, "/filesystem//blaxel/app/README.md"))

    assert page.status_code == 200
    assert "It&rsquo;s running." in page.text
    assert "first five minutes" in readme.json()["content"]
    assert record_at_provider(serving)["metadata"]["labels"] == serving.labels


def test_the_row_says_what_the_provider_says(made, record_at_provider):
    record = record_at_provider(made)

    made.owner.refresh_from_db()
    assert made.url == record["metadata"]["url"]
    assert made.provider_status == "DEPLOYED"
    assert made.owner.sandbox_created_at == made.provider_created_at
    assert made.expires_at == expiry_of(made).replace(microsecond=0)
    assert SandboxEvent.objects.filter(action="ready", actor_kind="job").exists()


def test_only_the_configured_ports_have_a_preview_and_it_is_private(made, provider):
    previews = provider.server.http.get(f"/v0/sandboxes/{made.name}/previews").json()

    # 443 is the session by which Manta itself reaches it.
    found = {(p["spec"]["port"], p["spec"]["public"]) for p in previews}
    assert found == {(3000, False), (443, False)}


def test_looking_again_makes_nothing_again(made, provider, look_again):
    look_again(made)

    assert provider.count("POST", "/sandboxes") == 1


def test_the_sandbox_of_a_lost_row_is_found_and_its_files_are_kept(serving, provider):
    server, name = provider.server, serving.name
    mine = server.inside(name, "/filesystem//blaxel/app/public/index.html")
    server.http.put(mine, json={"content": "mine"})
    owner = serving.owner
    serving.delete()

    again = SandboxFactory(owner=owner, **pending())
    reconcile(again.pk)

    again.refresh_from_db()
    assert again.phase == Phase.READY
    assert server.http.get(mine).json()["content"] == "mine"


def test_use_moves_the_expiry_at_the_provider(made, look_again, record_at_provider):
    later = timezone.now() + timedelta(hours=3)
    Sandbox.objects.update(used_at=later)

    look_again(made)

    policy = record_at_provider(made)["spec"]["lifecycle"]["expirationPolicies"][0]
    assert policy["value"] == (later + made.ttl).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert made.expires_at > timezone.now() + timedelta(hours=26)


# ---- Whose it is


@pytest.mark.filterwarnings("ignore:.*already exists")
def test_a_sandbox_with_anothers_label_is_left_alone(wanted, provider):
    spec = {"metadata": {"name": wanted.name, "labels": {"manta-owner": "999"}}, "spec": {}}
    provider.server.http.post("/v0/sandboxes", json=spec)

    reconcile(wanted.pk)

    wanted.refresh_from_db()
    assert (wanted.phase, wanted.error_code) == (Phase.FAILED, "wrong_owner")
    assert wanted.url == ""
    assert provider.server.http.get(provider.server.inside(wanted.name, "/process")).json() == []


@pytest.mark.filterwarnings("ignore:.*already exists")
def test_a_sandbox_older_than_its_user_is_not_theirs(wanted, provider):
    labels = {"manta-owner": str(wanted.owner.pk)}
    spec = {"metadata": {"name": wanted.name, "labels": labels}, "spec": {}}
    provider.server.http.post("/v0/sandboxes", json=spec)
    wanted.owner.date_joined = timezone.now() + timedelta(hours=1)
    wanted.owner.save()

    reconcile(wanted.pk)

    wanted.refresh_from_db()
    assert wanted.error_code == "wrong_owner"


def test_deleting_never_deletes_anothers_sandbox(wanted, provider, record_at_provider):
    spec = {"metadata": {"name": wanted.name, "labels": {"manta-owner": "999"}}, "spec": {}}
    provider.server.http.post("/v0/sandboxes", json=spec)
    services.deletion.delete_sandbox(sandbox=wanted, actor=None)

    reconcile(wanted.pk)

    assert not Sandbox.objects.exists()
    assert record_at_provider(wanted)["status"] == "DEPLOYED"


def test_user_1_and_user_11_have_sandboxes_of_their_own(provider, db):
    first = SandboxFactory(owner=UserFactory(pk=1001), **pending())
    other = SandboxFactory(owner=UserFactory(pk=10011), **pending())

    reconcile(first.pk)
    reconcile(other.pk)

    first.refresh_from_db()
    other.refresh_from_db()
    assert first.url.endswith("/user-1001")
    assert other.url.endswith("/user-10011")


# ---- Deleted


def test_one_deleted_behind_our_back_is_gone_and_its_address_with_it(made, provider, look_again):
    provider.server.http.delete(f"/v0/sandboxes/{made.name}")

    look_again(made)

    assert (made.phase, made.error_code, made.url) == (Phase.GONE, "deleted", "")


def test_one_that_expired_says_so(made, provider, look_again):
    provider.server.http.delete(f"/v0/sandboxes/{made.name}")
    Sandbox.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    look_again(made)

    assert made.error_code == "expired"


def test_a_gone_one_can_be_recreated(made, provider, look_again):
    provider.server.http.delete(f"/v0/sandboxes/{made.name}")
    look_again(made)

    services.provisioning.initialize_sandbox(user=made.owner)
    reconcile(made.pk)

    made.refresh_from_db()
    assert made.phase == Phase.READY
    assert provider.server.http.get(provider.server.inside(made.name, "/port/3000/")).is_success


def test_deletion_goes_on_until_the_sandbox_is_gone(made, provider, look_again):
    services.deletion.delete_sandbox(sandbox=made, actor=made.owner)
    with provider.down():
        look_again(made)
        assert made.phase == Phase.DELETING

    reconcile_until_gone(made)

    made.owner.refresh_from_db()
    assert made.owner.sandbox is None
    assert provider.server.names() == []
    assert SandboxEvent.objects.filter(action="deleted").exists()


def reconcile_until_gone(sandbox):
    def gone():
        Sandbox.objects.update(next_attempt_at=timezone.now())
        reconcile(sandbox.pk)
        return not Sandbox.objects.filter(pk=sandbox.pk).exists()

    wait_until(gone)


def test_a_deletion_asked_for_during_a_create_is_not_lost(wanted, provider, monkeypatch):
    create = control_plane.sandboxes.create_if_not_exists

    def create_and_delete(spec):
        record = create(spec)
        services.deletion.delete_sandbox(sandbox=Sandbox.objects.get(), actor=None)
        return record

    monkeypatch.setattr(control_plane.sandboxes, "create_if_not_exists", create_and_delete)
    reconcile(wanted.pk)
    assert Sandbox.objects.get().phase == Phase.DELETING

    reconcile_until_gone(wanted)

    assert provider.server.names() == []


def test_the_row_of_a_deleted_user_goes_with_its_sandbox(made, provider):
    delete_account(user=made.owner)

    reconcile_until_gone(made)

    assert provider.server.names() == []


# ---- The starter's server


def starter_status(provider, sandbox):
    server = provider.server
    return [p["status"] for p in server.http.get(server.inside(sandbox.name, "/process")).json()]


def test_the_starter_is_started_again_after_the_sandbox_restarted(
    serving, provider, look_again, record_at_provider
):
    # What a restart leaves: the files, and no process.
    envs = [{"name": "CHANGED", "value": "yes"}]
    record = record_at_provider(serving)
    record["spec"]["runtime"]["envs"] = envs
    provider.server.http.put(f"/v0/sandboxes/{serving.name}", json=record).raise_for_status()
    assert "running" not in starter_status(provider, serving)

    look_again(serving)

    assert starter_status(provider, serving) == ["running"]


def test_a_starter_that_its_owner_stopped_stays_stopped(serving, provider, look_again):
    server = provider.server
    server.http.delete(server.inside(serving.name, "/process/starter")).raise_for_status()

    look_again(serving)

    assert "running" not in starter_status(provider, serving)
