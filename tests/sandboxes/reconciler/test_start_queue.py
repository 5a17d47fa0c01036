"""How many sandboxes are made at once, and whose turn it is."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from manta.core.metrics import THROTTLED_STARTS
from sandboxes.models import Heartbeat, Phase, Sandbox
from sandboxes.presenters.panel import Panel
from sandboxes.reconciler import leases, start_queue
from sandboxes.reconciler.reconcile import reconcile
from tests.support.factories import SandboxFactory, pending

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def two_at_once(settings):
    settings.SANDBOX_STARTS_AT_ONCE = 2


def queue_of(count):
    """Rows that were asked for one after the other."""
    now = timezone.now()
    return [
        SandboxFactory(**pending(provision_deadline=now + timedelta(seconds=120 + number)))
        for number in range(count)
    ]


def test_a_third_waits_until_one_of_two_is_made():
    first, _, third = queue_of(3)
    held = leases.acquire(first.pk)
    leases.acquire(Sandbox.objects.queue().first().pk)
    assert leases.acquire(third.pk) is None

    leases.save(held, phase=Phase.READY)
    leases.release(held)

    assert leases.acquire(third.pk) is not None


def test_who_comes_later_does_not_overtake():
    rows = queue_of(4)

    assert leases.acquire(rows[3].pk) is None
    assert start_queue.startable_ids() == [rows[0].pk, rows[1].pk]


def test_the_place_of_a_killed_worker_is_free_again():
    rows = queue_of(3)
    leases.acquire(rows[0].pk)
    leases.acquire(rows[1].pk)

    Sandbox.objects.filter(pk=rows[0].pk).update(lease_until=timezone.now())

    assert start_queue.startable_ids() == [rows[0].pk]


def test_who_waits_for_a_retry_keeps_nobody_waiting():
    rows = queue_of(3)
    later = timezone.now() + timedelta(seconds=20)
    Sandbox.objects.filter(pk=rows[0].pk).update(next_attempt_at=later)

    assert start_queue.startable_ids() == [rows[1].pk, rows[2].pk]


def test_keeping_and_deleting_wait_for_no_place():
    queue_of(2)
    leases.acquire(start_queue.startable_ids()[0])
    leases.acquire(start_queue.startable_ids()[0])
    made = SandboxFactory(next_attempt_at=timezone.now())

    assert leases.acquire(made.pk) is not None


def test_the_panel_shows_the_place_in_the_queue(client):
    Heartbeat.note("worker", ok=True)
    rows = queue_of(3)
    client.force_login(rows[2].owner)

    assert [Panel.of(row).queue_position for row in rows] == [1, 2, 3]
    assert "3rd in the queue" in client.get("/sandbox/panel/").content.decode()


def test_a_place_that_changes_changes_the_panel():
    first, second = queue_of(2)
    before = Panel.of(second).version

    leases.acquire(first.pk)

    assert Panel.of(second).version != before


def test_who_has_to_wait_is_counted_once():
    before = THROTTLED_STARTS._value.get()
    for _ in queue_of(5)[:2]:
        leases.acquire(start_queue.startable_ids()[0])

    start_queue.note_throttled()
    start_queue.note_throttled()

    assert THROTTLED_STARTS._value.get() - before == 3


def test_nobody_is_counted_while_there_are_places():
    queue_of(2)

    start_queue.note_throttled()

    assert not Sandbox.objects.exclude(queued_since=None).exists()


@pytest.mark.exhaustive
def test_workers_together_never_make_more_at_once_than_allowed(provider):
    provider.hangs("POST", "/sandboxes", seconds=0.3, times=6)
    rows, pause = queue_of(6), threading.Event()

    def work(number):
        try:
            while Sandbox.objects.filter(phase=Phase.PENDING).exists():
                reconcile(rows[number].pk)
                pause.wait(0.1)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))

    assert Sandbox.objects.filter(phase=Phase.READY).count() == 6
    assert provider.most_at_once("POST", "/sandboxes") == 2
