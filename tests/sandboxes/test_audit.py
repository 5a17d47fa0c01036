"""Each change of a sandbox leaves one line, whoever made it and whatever became of it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from sandboxes import services
from sandboxes.api.events import SandboxEventResponse
from sandboxes.models import Action, Sandbox, SandboxEvent
from sandboxes.reconciler.reconcile import reconcile


@pytest.fixture
def recorded():
    """Return events recorded since the last call, oldest first."""
    last = 0

    def recorded():
        nonlocal last
        events = list(SandboxEvent.objects.filter(pk__gt=last).order_by("pk"))
        last = events[-1].pk if events else last
        return [(event.action, event.outcome, event.actor_kind) for event in events]

    return recorded


def until_settled(sandbox):
    for _ in range(20):
        Sandbox.objects.filter(pk=sandbox.pk).update(next_attempt_at=timezone.now())
        reconcile(sandbox.pk)
        row = Sandbox.objects.filter(pk=sandbox.pk).first()
        if row is None or not row.is_settling:
            return row
    raise AssertionError(f"{row} does not settle: {row.phase}")


@pytest.mark.django_db
def test_asking_for_a_sandbox_and_getting_it(alice, provider, recorded):
    sandbox = services.provisioning.ensure_sandbox(user=alice)
    services.provisioning.ensure_sandbox(user=alice)
    until_settled(sandbox)
    until_settled(sandbox)

    assert recorded() == [(Action.REQUESTED, "ok", "user"), (Action.READY, "ok", "job")]


def test_giving_up_and_trying_again(wanted, provider, recorded):
    provider.fails("POST", "/sandboxes", 400, {"code": "INVALID_IMAGE", "message": "none such"})
    until_settled(wanted)
    services.provisioning.initialize_sandbox(user=wanted.owner)
    until_settled(wanted)

    assert recorded() == [
        (Action.GAVE_UP, "unknown_image", "job"),
        (Action.RETRIED, "ok", "user"),
        (Action.READY, "ok", "job"),
    ]


def test_a_sandbox_that_was_deleted_at_the_provider_and_its_successor(made, provider, recorded):
    recorded()
    provider.delete_all()
    until_settled(made)
    services.provisioning.initialize_sandbox(user=made.owner)
    until_settled(made)

    assert recorded() == [
        (Action.FOUND_DELETED, "ok", "job"),
        (Action.RECREATED, "ok", "user"),
        (Action.READY, "ok", "job"),
    ]


def test_a_sandbox_that_expired(made, provider, recorded):
    recorded()
    Sandbox.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    provider.delete_all()

    until_settled(made)

    assert recorded() == [(Action.EXPIRED, "ok", "job")]


def test_a_restart(serving, recorded):
    recorded()
    services.restarts.restart_sandbox(sandbox=serving, actor=serving.owner)
    services.restarts.restart_sandbox(sandbox=serving, actor=serving.owner)
    until_settled(serving)

    assert recorded() == [
        (Action.RESTART_REQUESTED, "ok", "user"),
        (Action.RESTARTED, "ok", "job"),
    ]


def test_a_reset_by_an_admin(made, admin_user, recorded):
    recorded()
    services.deletion.reset_sandbox(sandbox=made, actor=admin_user, reason="It was full.")
    until_settled(made)

    assert recorded() == [
        (Action.RESET_REQUESTED, "ok", "admin"),
        (Action.RESET, "ok", "job"),
        (Action.READY, "ok", "job"),
    ]
    assert SandboxEvent.objects.get(action=Action.RESET_REQUESTED).reason == "It was full."


def test_an_extension(made, recorded):
    recorded()
    services.expiry.extend_sandbox(sandbox=made, actor=made.owner)
    services.expiry.extend_sandbox(sandbox=made, actor=made.owner)
    until_settled(made)

    assert recorded() == [(Action.EXTENDED, "ok", "user")]


def test_a_deletion(made, recorded):
    recorded()
    services.deletion.delete_sandbox(sandbox=made, actor=made.owner)
    services.deletion.delete_sandbox(sandbox=made, actor=made.owner)
    until_settled(made)

    assert recorded() == [(Action.DELETE_REQUESTED, "ok", "user"), (Action.DELETED, "ok", "job")]


def test_an_opened_port(serving, recorded):
    recorded()

    services.ports.open_port(sandbox=serving, port=3000, actor=serving.owner)

    assert recorded() == [(Action.OPENED_PORT, "ok", "user")]


def test_every_action_there_is_can_be_recorded_and_read():
    assert all(action.label for action in Action)
    assert max(len(action.value) for action in Action) <= 64


def test_the_description_names_every_kind_of_actor():
    told = SandboxEventResponse().fields["actor"].help_text

    assert [kind for kind in SandboxEvent.Actor.values if kind not in told] == []
