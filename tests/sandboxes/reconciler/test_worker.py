"""The worker, as a process."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone

from sandboxes import control_plane, services
from sandboxes.models import Heartbeat, Phase, Sandbox, SandboxEvent
from sandboxes.reconciler.reconcile import reconcile
from tests.support.factories import SandboxFactory, UserFactory, pending
from tests.support.waiting import wait_until
from tests.support.worker_process import running_worker

pytestmark = pytest.mark.django_db(transaction=True)


def phase():
    return Sandbox.objects.get().phase


def test_a_new_sandbox_is_made(worker):
    services.provisioning.ensure_sandbox(user=UserFactory())

    wait_until(lambda: phase() == Phase.READY)


def test_a_failure_is_tried_again_until_it_works(worker, provider):
    provider.fails("POST", "/sandboxes", 503, {"code": "X", "message": "no"}, times=2)

    services.provisioning.ensure_sandbox(user=UserFactory())

    wait_until(lambda: phase() == Phase.READY)
    assert provider.count("POST", "/sandboxes") == 3


def test_a_watched_row_follows_its_sandbox_to_sleep(worker):
    services.provisioning.ensure_sandbox(user=UserFactory())

    def seen_asleep():
        sandbox = Sandbox.objects.get()
        services.row_updates.keep_fresh(sandbox)
        return sandbox.status == "standby"

    wait_until(seen_asleep)


@pytest.mark.exhaustive
def test_signs_of_life_are_left_in_the_database(worker):
    services.row_updates.keep_fresh(SandboxFactory())

    wait_until(lambda: Heartbeat.of("worker").ok_at and Heartbeat.of("provider").ok_at)


def test_a_provider_that_hangs_is_said_to_be_failing(worker, provider):
    provider.hangs("GET", "/sandboxes", seconds=4)

    services.row_updates.keep_fresh(SandboxFactory())

    wait_until(lambda: Heartbeat.of("provider").is_failing)


@pytest.mark.exhaustive
def test_what_was_recorded_too_long_ago_is_forgotten(blaxel):
    long_ago = timezone.now() - settings.AUDIT_RETENTION - timedelta(days=1)
    SandboxEvent.objects.create(action="ready", actor_kind="job", created_at=long_ago)
    kept = SandboxEvent.objects.create(action="ready", actor_kind="job")
    Session.objects.create(pk="expired", session_data="", expire_date=long_ago)

    with running_worker(blaxel):
        wait_until(lambda: list(SandboxEvent.objects.all()) == [kept])
        wait_until(lambda: not Session.objects.exists())


@pytest.mark.exhaustive
def test_a_worker_sends_the_reminders_that_are_due(made, blaxel):
    soon = (timezone.now() + timedelta(minutes=30)).replace(microsecond=0)
    control_plane.sandboxes.set_expiry(made.name, soon)
    month = timedelta(days=30)
    Sandbox.objects.update(
        ttl=month, used_at=soon - month, expires_at=soon, remind_at=timezone.now()
    )

    with running_worker(blaxel):
        wait_until(lambda: SandboxEvent.objects.filter(action="reminded").exists(), 30)

    assert made.reminders.get().lead == timedelta(hours=1)
    assert SandboxEvent.objects.get(action="reminded").outcome == "ok"


@pytest.mark.exhaustive
def test_creations_that_hang_delay_no_restart_and_no_deletion(made, blaxel, provider):
    leaving = SandboxFactory(**pending())
    reconcile(leaving.pk)
    made_before = provider.count("POST", "/sandboxes")
    provider.hangs("POST", "/sandboxes", seconds=50, times=2)

    with running_worker(blaxel):
        newcomers = [services.provisioning.ensure_sandbox(user=UserFactory()).pk for _ in range(2)]
        wait_until(lambda: provider.count("POST", "/sandboxes") == made_before + 2)
        services.restarts.restart_sandbox(sandbox=made, actor=made.owner)
        services.deletion.delete_sandbox(sandbox=leaving, actor=leaving.owner)

        wait_until(lambda: SandboxEvent.objects.filter(action="restarted").exists())
        wait_until(lambda: not Sandbox.objects.filter(pk=leaving.pk).exists())
        waiting = Sandbox.objects.filter(pk__in=newcomers)
        assert {row.phase for row in waiting} == {Phase.PENDING}
        assert all(row.lease_holder for row in waiting)
