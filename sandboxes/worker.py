"""The worker: takes kicks from the job queue, and sweeps the rows by itself.

The rows say what there is to do, so any number of workers can run, and none has to.
"""

import itertools
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections
from huey.consumer import Consumer

from operations.recorder import Recorder
from sandboxes import gateway, leases, reconcile, tasks, watch
from sandboxes.models import Heartbeat, Sandbox

logger = logging.getLogger(__name__)

# Seconds
SWEEP_EVERY = 0.25
LOOK_EVERY = 1.0
_TURNS_A_BEAT = 20
LAST_WORDS = 0.3
# A provider that has not answered a look after this long counts as not answering.
LOOK_PATIENCE = 1.0


class _Jobs(Consumer):  # type: ignore[misc]
    """Huey's consumer, as threads of this process: the signals are ours."""

    def _set_signal_handlers(self) -> None:
        pass


class Worker:
    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._pool = ThreadPoolExecutor(settings.WORKER_THREADS, thread_name_prefix="row")
        self._looking = ThreadPoolExecutor(1, thread_name_prefix="look")
        self._look: Future[datetime | None] | None = None
        self._look_started = 0.0
        self._look_is_late = False
        self._looked_at: datetime | None = None
        self._at_work: set[int] = set()
        self._jobs: Consumer | None = None
        self._recorder = Recorder("worker")

    def run(self, *, ready: Callable[[], None]) -> None:
        """Work until stopping is set; calls ready when the loop runs."""
        threading.Thread(target=gateway.warm, daemon=True).start()
        self._start_jobs()
        self._recorder.start()
        ready()
        for turn in itertools.count():
            if self.stopping.wait(SWEEP_EVERY):
                break
            self._guarded(self._sweep)
            self._guarded(self._look_around)
            if turn % _TURNS_A_BEAT == 0:
                self._guarded(self._beat)
        self._stop()

    def _stop(self) -> None:
        if self._jobs:
            self._jobs.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._looking.shutdown(wait=False, cancel_futures=True)
        self._guarded(leases.release_all)
        self._recorder.stop(LAST_WORDS)

    def _start_jobs(self) -> None:
        """Take kicks; without the queue the sweep does it all, a little later."""
        try:
            tasks.prepare()
        except tasks.QUEUE_ERRORS as exc:
            logger.warning("The job queue is not available (%s); sweeping only", exc)
            return
        self._jobs = _Jobs(
            tasks.queue, workers=2, periodic=False, initial_delay=0.05, max_delay=0.2
        )
        self._jobs.start()

    def _beat(self) -> None:
        Heartbeat.note(Heartbeat.Subject.WORKER, ok=True)
        if self._jobs is None:
            self._start_jobs()

    def _guarded(self, work: Callable[[], None]) -> None:
        """One failure of the database, or of ours, must not end the loop."""
        try:
            close_old_connections()
            work()
        except DatabaseError as exc:
            logger.warning("The database is not available: %s", exc)
        except Exception:
            logger.exception("The worker's loop failed")

    def _sweep(self) -> None:
        leases.renew_all()
        due = Sandbox.objects.due().order_by("next_attempt_at").values_list("pk", flat=True)
        for pk in due[: settings.WORKER_THREADS * 2]:
            if pk not in self._at_work:
                self._at_work.add(pk)
                self._pool.submit(self._reconcile, pk)

    def _reconcile(self, pk: int) -> None:
        try:
            self._guarded(lambda: reconcile.reconcile(pk))
        finally:
            self._at_work.discard(pk)

    def _look_around(self) -> None:
        """Start a look each second, unless one is under way; say so when that takes too long."""
        waited = time.monotonic() - self._look_started
        if self._look is None or (self._look.done() and waited >= LOOK_EVERY):
            self._look_started, self._look_is_late = time.monotonic(), False
            self._look = self._looking.submit(self._look_once)
        elif not self._look.done() and waited > LOOK_PATIENCE and not self._look_is_late:
            self._look_is_late = True
            Heartbeat.note(Heartbeat.Subject.PROVIDER, ok=False)

    def _look_once(self) -> None:
        def look() -> None:
            self._looked_at = watch.look(self._looked_at)

        self._guarded(look)
