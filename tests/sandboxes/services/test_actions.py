"""Restart, reset, delete and extend: asked for, and done by the worker at a real provider."""

from datetime import timedelta

import pytest
from django.utils import timezone

from sandboxes import errors, services
from sandboxes.models import Action, Phase, Sandbox, SandboxEvent
from sandboxes.reconciler.reconcile import reconcile
from tests.support.factories import SandboxFactory, pending
from tests.support.waiting import wait_until

COUNTER = "n=0; while :; do n=$((n+1)); echo $n > /blaxel/counter; sleep 0.05; done"


@pytest.fixture
def inside(serving, provider):
    """The sandbox's own API."""

    class Inside:
        def write(self, path, text):
            provider.server.http.put(self._at(f"/filesystem/{path}"), json={"content": text})

        def read(self, path):
            answer = provider.server.http.get(self._at(f"/filesystem/{path}"))
            return answer.json().get("content")

        def start(self, name, command):
            body = {"name": name, "command": command}
            provider.server.http.post(self._at("/process"), json=body).raise_for_status()

        def running(self):
            processes = provider.server.http.get(self._at("/process")).json()
            return [p["name"] for p in processes if p["status"] == "running"]

        def _at(self, path):
            return provider.server.inside(serving.name, path)

    return Inside()


def events(action):
    return SandboxEvent.objects.filter(action=action)


def settle(sandbox):
    """Have the reconciler look until nothing is under way."""

    def settled():
        Sandbox.objects.update(next_attempt_at=timezone.now())
        reconcile(sandbox.pk)
        row = Sandbox.objects.filter(pk=sandbox.pk).first()
        return row is None or (row.phase == Phase.READY and row.restart_wanted_at is None)

    wait_until(settled)
    return Sandbox.objects.filter(pk=sandbox.pk).first()


# ---- Restart


def test_a_restart_ends_every_process_and_keeps_files(serving, inside):
    inside.write("/blaxel/mine.txt", "mine")
    inside.start("counter", COUNTER)

    services.restarts.restart_sandbox(sandbox=serving, actor=serving.owner)
    row = settle(serving)

    assert inside.running() == ["starter"]
    assert inside.read("/blaxel/mine.txt") == "mine"
    assert row.restarted_at is not None
    assert events(Action.RESTARTED).get().actor_kind == "job"


def test_a_starter_that_was_stopped_runs_again_after_a_restart(serving, provider, inside):
    provider.server.http.delete(provider.server.inside(serving.name, "/process/starter"))

    services.restarts.restart_sandbox(sandbox=serving, actor=serving.owner)
    settle(serving)

    assert inside.running() == ["starter"]


def test_two_clicks_restart_once(serving, provider):
    services.restarts.restart_sandbox(sandbox=serving, actor=serving.owner)
    services.restarts.restart_sandbox(sandbox=serving, actor=serving.owner)
    settle(serving)
    services.restarts.restart_sandbox(sandbox=Sandbox.objects.get(), actor=serving.owner)
    settle(serving)

    assert provider.count("PUT", f"/sandboxes/{serving.name}") == 1
    assert events(Action.RESTART_REQUESTED).count() == 1


def test_a_restart_whose_answer_was_lost_is_not_done_twice(serving, provider, look_again):
    services.restarts.restart_sandbox(sandbox=serving, actor=serving.owner)
    provider.loses_answer("PUT", "/sandboxes")
    look_again(serving)
    assert serving.restart_wanted_at is not None
    assert serving.next_attempt_at > timezone.now()

    row = settle(serving)

    assert row.restart_wanted_at is None
    assert provider.count("PUT", f"/sandboxes/{serving.name}") == 1


@pytest.mark.parametrize(
    ("wish", "ahead"),
    [
        ("restart_wanted_at", timedelta(minutes=5)),
        ("extended_until", timedelta(days=9)),
        ("used_at", timedelta(days=1)),
        ("unsaved_wanted_at", timedelta(minutes=5)),
    ],
)
def test_what_is_wanted_is_tried_again_when_the_provider_was_down(
    serving, provider, look_again, wish, ahead
):
    Sandbox.objects.update(**{wish: timezone.now() + ahead})

    with provider.down():
        look_again(serving)

    assert serving.error_code == "provider_unavailable"
    assert serving.next_attempt_at > timezone.now()


def test_nothing_is_tried_again_and_again_that_nobody_wants(serving, provider, look_again):
    with provider.down():
        look_again(serving)

    assert serving.next_attempt_at is None


def test_a_restart_that_can_not_be_done_is_given_up_and_says_why(serving, provider, look_again):
    services.restarts.restart_sandbox(sandbox=serving, actor=serving.owner)
    provider.fails("PUT", "/sandboxes", 400, {"error": "no", "code": 400})

    look_again(serving)

    assert serving.restart_wanted_at is None
    assert serving.error_code == "provider_rejected"
    assert events(Action.RESTARTED).get().outcome == "provider_rejected"


def test_a_restart_never_writes_a_mask_over_a_secret(serving, provider, look_again):
    record = provider.server.get(serving.name)
    secret = {"name": "TOKEN", "value": "****", "secret": True}
    record["spec"]["runtime"]["envs"] = [secret]
    provider.fails("GET", f"/sandboxes/{serving.name}", 200, provider.server.get(serving.name))
    provider.fails("GET", f"/sandboxes/{serving.name}", 200, record)
    services.restarts.restart_sandbox(sandbox=serving, actor=serving.owner)

    look_again(serving)

    assert provider.count("PUT", f"/sandboxes/{serving.name}") == 0
    assert "secrets" in serving.error_message


def test_a_secret_of_the_sandbox_survives_a_restart(serving, provider, inside):
    record = provider.server.get(serving.name)
    record["spec"]["runtime"]["envs"] = [{"name": "TOKEN", "value": "s3cret", "secret": True}]
    provider.server.http.put(f"/v0/sandboxes/{serving.name}", json=record).raise_for_status()

    services.restarts.restart_sandbox(sandbox=serving, actor=serving.owner)
    settle(serving)

    inside.start("tell", 'printf %s "$TOKEN" > /blaxel/told')
    wait_until(lambda: inside.read("/blaxel/told") == "s3cret")


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"phase": Phase.GONE}, errors.SandboxGone),
        ({"phase": Phase.DELETING}, errors.BeingDeleted),
        (pending(), errors.SandboxBusy),
        ({"phase": Phase.FAILED}, errors.SandboxBusy),
    ],
)
def test_what_is_not_ready_is_neither_restarted_nor_extended(alice, fields, error):
    sandbox = SandboxFactory(owner=alice, **fields)

    with pytest.raises(error):
        services.restarts.restart_sandbox(sandbox=sandbox, actor=alice)
    with pytest.raises(error):
        services.expiry.extend_sandbox(sandbox=sandbox, actor=alice)


# ---- Reset


def test_a_reset_is_back_at_the_starter_in_the_same_row(serving, inside, provider):
    inside.write("/blaxel/mine.txt", "mine")

    services.deletion.reset_sandbox(sandbox=serving, actor=serving.owner)
    assert Sandbox.objects.get().status == "provisioning"
    row = settle(serving)

    assert row.pk == serving.pk
    assert (row.phase, row.recreate_after_delete) == (Phase.READY, False)
    assert inside.read("/blaxel/mine.txt") is None
    assert "first five minutes" in inside.read("/blaxel/app/README.md")
    assert row.provider_created_at > serving.provider_created_at
    assert provider.server.names() == [serving.name]
    assert events(Action.RESET).exists()


def test_two_clicks_reset_once(serving, provider):
    services.deletion.reset_sandbox(sandbox=serving, actor=serving.owner)
    services.deletion.reset_sandbox(sandbox=Sandbox.objects.get(), actor=serving.owner)
    settle(serving)

    assert events(Action.RESET_REQUESTED).count() == 1
    assert provider.count("DELETE", f"/sandboxes/{serving.name}") == 1


def test_a_reset_goes_on_after_the_provider_was_down(serving, provider, look_again):
    services.deletion.reset_sandbox(sandbox=serving, actor=serving.owner)
    with provider.down():
        look_again(serving)
        assert serving.state.name == "resetting"

    assert settle(serving).phase == Phase.READY


def test_a_deletion_during_a_reset_wins(serving, provider):
    services.deletion.reset_sandbox(sandbox=serving, actor=serving.owner)
    services.deletion.delete_sandbox(sandbox=Sandbox.objects.get(), actor=serving.owner)

    assert settle(serving) is None
    assert provider.server.names() == []


def test_a_deletion_asked_for_while_the_reset_makes_it_again_is_not_lost(
    serving, provider, monkeypatch
):
    from sandboxes import control_plane

    get = control_plane.sandboxes.get

    def get_and_delete(name):
        record = get(name)
        services.deletion.delete_sandbox(sandbox=Sandbox.objects.get(), actor=None)
        return record

    services.deletion.reset_sandbox(sandbox=serving, actor=serving.owner)
    monkeypatch.setattr(control_plane.sandboxes, "get", get_and_delete)
    Sandbox.objects.update(next_attempt_at=timezone.now())
    reconcile(serving.pk)
    monkeypatch.undo()

    assert settle(serving) is None
    assert provider.server.names() == []


def test_what_is_being_deleted_is_not_reset(alice):
    sandbox = SandboxFactory(owner=alice, phase=Phase.DELETING)

    with pytest.raises(errors.BeingDeleted):
        services.deletion.reset_sandbox(sandbox=sandbox, actor=alice)


def test_one_that_failed_can_be_reset(wanted):
    Sandbox.objects.update(phase=Phase.FAILED, error_code="x", error_message="No.")

    services.deletion.reset_sandbox(sandbox=Sandbox.objects.get(), actor=wanted.owner)

    assert settle(wanted).error_code == ""


# ---- Delete


def test_a_start_during_a_deletion_is_refused_with_a_code_and_then_works(serving, provider):
    services.deletion.delete_sandbox(sandbox=serving, actor=serving.owner)
    with pytest.raises(errors.BeingDeleted) as refusal:
        services.provisioning.initialize_sandbox(user=serving.owner)
    assert (refusal.value.status, refusal.value.code) == (409, "being_deleted")
    assert settle(serving) is None

    again = services.provisioning.initialize_sandbox(user=serving.owner)

    assert settle(again).phase == Phase.READY


def test_a_create_is_cancelled_by_a_deletion(wanted, provider):
    services.deletion.delete_sandbox(sandbox=wanted, actor=wanted.owner)

    assert settle(wanted) is None
    assert provider.server.names() == []
    assert provider.count("POST", "/sandboxes") == 0


def test_two_clicks_delete_once(alices_sandbox):
    same_page_twice = [Sandbox.objects.get(), Sandbox.objects.get()]

    for sandbox in same_page_twice:
        services.deletion.delete_sandbox(sandbox=sandbox, actor=sandbox.owner)

    assert events(Action.DELETE_REQUESTED).count() == 1


def test_deleting_what_is_gone_already_is_no_error(alices_sandbox):
    Sandbox.objects.filter(pk=alices_sandbox.pk).delete()

    services.deletion.delete_sandbox(sandbox=alices_sandbox, actor=None)

    assert not events(Action.DELETE_REQUESTED).exists()


# ---- Extend


def test_extend_keeps_it_for_one_ttl_more_at_the_provider_too(serving, provider, look_again):
    serving.ttl = timedelta(hours=48)
    serving.save()

    services.expiry.extend_sandbox(sandbox=serving, actor=serving.owner)
    look_again(serving)

    policy = provider.server.get(serving.name)["spec"]["lifecycle"]["expirationPolicies"][0]
    assert policy["value"] == serving.extended_until.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert serving.expires_at == serving.extended_until
    assert serving.expires_at > timezone.now() + serving.ttl - timedelta(minutes=1)


def test_two_clicks_extend_once(alices_sandbox):
    services.expiry.extend_sandbox(sandbox=alices_sandbox, actor=alices_sandbox.owner)
    services.expiry.extend_sandbox(sandbox=alices_sandbox, actor=alices_sandbox.owner)

    assert events(Action.EXTENDED).count() == 1


def test_what_the_provider_allows_wins_and_is_not_asked_for_again_and_again(
    serving, provider, look_again
):
    capped = provider.server.get(serving.name)
    capped["expiresIn"] = 3600 * 5
    provider.fails("GET", f"/sandboxes/{serving.name}", 200, capped, times=10)
    serving.ttl = timedelta(hours=48)
    serving.save()
    services.expiry.extend_sandbox(sandbox=serving, actor=serving.owner)
    look_again(serving)
    asked = provider.count("PUT", f"/sandboxes/{serving.name}")

    look_again(serving)

    assert abs(serving.expires_at - timezone.now() - timedelta(hours=5)) < timedelta(minutes=2)
    assert serving.expires_at < serving.requested_expiry
    assert provider.count("PUT", f"/sandboxes/{serving.name}") == asked
