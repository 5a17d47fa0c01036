"""The worker: several times a second it asks the database which rows are due, and works on them.

The rows are the queue. A worker claims a row by a lease (leases.py), so any number of workers can
run, and what one of them leaves undone another one does.
"""

import itertools
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections

from accounts import sessions
from accounts.oauth import agents
from manta.core import database_cache
from sandboxes import control_plane
from sandboxes.control_plane import circuit_breaker
from sandboxes.models import Heartbeat, Sandbox
from sandboxes.reconciler import (
    companions,
    leases,
    provider_sync,
    public_ports,
    reconcile,
    reminders,
    retention,
    start_queue,
)
from sandboxes.services import quotas

logger = logging.getLogger(__name__)

# Seconds between two looks for rows that are due: people wait for what they find.
LOOK_FOR_DUE_EVERY = 0.1
LOOK_EVERY = 1.0
# A sweep also finds what is not marked: leases that ran out, and deletions that were begun.
_TURNS_A_SWEEP = 10
_TURNS_A_BEAT = 50
_TURNS_A_POST = 300
_TURNS_A_CLEANUP = 36_000
SHUTDOWN_TIMEOUT = 0.3
# A provider that has not answered a look after this long counts as not answering.
LOOK_TIMEOUT = 1.0
# Threads that keep, restart and delete; those that make are WORKER_THREADS.
KEEPERS = 4


class _Look:
    """One kind of look, each second, in a thread of its own: a provider that hangs holds up no
    sweep, and a long look at everything none at the rows that pages show.
    """

    def __init__(self, look: Callable[[], None]) -> None:
        self._look = look
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="look")
        self._running: Future[None] | None = None
        self._started = 0.0
        self._is_late = False

    def turn(self) -> None:
        """Start one, unless one is under way; record it when the provider doesn't answer it."""
        waited = time.monotonic() - self._started
        if self._running is None or (self._running.done() and waited >= LOOK_EVERY):
            self._started, self._is_late = time.monotonic(), False
            self._running = self._pool.submit(_guarded, self._look)
            return
        silent = min(waited, circuit_breaker.silent_for()) > LOOK_TIMEOUT
        if silent and not self._running.done() and not self._is_late:
            self._is_late = True
            Heartbeat.note(Heartbeat.Subject.PROVIDER, ok=False)

    def stop(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


class Worker:
    def __init__(self) -> None:
        self.stopping = threading.Event()
        # Apart, so that a queue of new sandboxes holds up no deletion and no restart.
        self._makers = ThreadPoolExecutor(settings.WORKER_THREADS, thread_name_prefix="make")
        self._keepers = ThreadPoolExecutor(KEEPERS, thread_name_prefix="keep")
        self._looks = [_Look(provider_sync.sync_watched), _Look(provider_sync.sync_all)]
        # Apart as well: a mail server may take its time.
        self._post = ThreadPoolExecutor(1, thread_name_prefix="post")
        self._posting: Future[None] | None = None
        self._closing: Future[None] | None = None
        self._at_work: set[int] = set()
        self._companions = companions.make_all()

    def run(self, *, ready: Callable[[], None]) -> None:
        """Work until stopping is set; calls ready when the loop runs."""
        threading.Thread(target=control_plane.client.warm, daemon=True).start()
        for companion in self._companions:
            companion.start()
        ready()
        for turn in itertools.count():
            if self.stopping.wait(LOOK_FOR_DUE_EVERY):
                break
            _guarded(self._sweep if turn % _TURNS_A_SWEEP == 0 else self._sweep_if_due)
            for look in self._looks:
                _guarded(look.turn)
            if turn % _TURNS_A_BEAT == 0:
                _guarded(self._beat)
                self._close_ports()
            if turn % _TURNS_A_POST == 0:
                self._remind()
            if turn % _TURNS_A_CLEANUP == 0:
                self._post.submit(_guarded, retention.forget_old_events)
                self._post.submit(_guarded, retention.forget_old_calls)
                self._post.submit(_guarded, agents.forget_old)
                self._post.submit(_guarded, sessions.forget_expired)
                self._post.submit(_guarded, database_cache.forget_expired)
        self._stop()

    def _stop(self) -> None:
        for pool in (self._makers, self._keepers, self._post):
            pool.shutdown(wait=False, cancel_futures=True)
        for look in self._looks:
            look.stop()
        _guarded(leases.release_all)
        for companion in self._companions:
            companion.stop(SHUTDOWN_TIMEOUT)

    def _beat(self) -> None:
        Heartbeat.note(Heartbeat.Subject.WORKER, ok=True)
        quotas.forget_creations()

    def _remind(self) -> None:
        """Send the reminders that are due, unless some still are being sent."""
        if self._posting is None or self._posting.done():
            self._posting = self._post.submit(_guarded, reminders.send_due)

    def _close_ports(self) -> None:
        """Make private what has been public for long enough, unless that is under way."""
        if self._closing is None or self._closing.done():
            self._closing = self._keepers.submit(_guarded, public_ports.close_overdue)

    def _sweep_if_due(self) -> None:
        if Sandbox.objects.is_any_due():
            self._sweep()

    def _sweep(self) -> None:
        leases.renew_all()
        start_queue.note_throttled()
        for pk in start_queue.startable_ids():
            self._take(pk, self._makers)
        for pk in Sandbox.objects.due_for_maintenance(KEEPERS * 4):
            self._take(pk, self._keepers)

    def _take(self, pk: int, pool: ThreadPoolExecutor) -> None:
        if pk not in self._at_work:
            self._at_work.add(pk)
            pool.submit(self._reconcile, pk)

    def _reconcile(self, pk: int) -> None:
        try:
            _guarded(lambda: reconcile.reconcile(pk))
        finally:
            self._at_work.discard(pk)


def _guarded(work: Callable[[], object]) -> None:
    """One failure of the database, or of ours, must not end the loop."""
    try:
        close_old_connections()
        work()
    except DatabaseError as exc:
        logger.warning("The database is not available: %s", exc)
    except Exception:
        logger.exception("The worker's loop failed")
