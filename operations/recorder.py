"""A thread of each web and worker process, which writes what the process has counted."""

import logging
import threading
from collections.abc import Callable

from django.db import Error as DatabaseError
from django.db import close_old_connections, connection

from manta.core import metrics
from operations import failures, metrics_store, sentry

logger = logging.getLogger(__name__)

# Seconds between two flushes of the failures; the metrics are flushed with every fifth.
EVERY = 1.0
_METRICS_EACH = 5
# How long what is still to be sent at the end may take.
SHUTDOWN_TIMEOUT = 0.2


class Recorder:
    def __init__(self, place: str) -> None:
        self._place = place
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Write the rest; give up after this many seconds."""
        self._ending.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        turn = 0
        while not self._ending.wait(EVERY):
            turn += 1
            self._guarded(lambda: failures.flush(self._place))
            if turn % _METRICS_EACH == 0:
                self._guarded(metrics_store.flush)
        metrics.STREAMS.set(0)
        self._guarded(lambda: failures.flush(self._place))
        self._guarded(metrics_store.flush)
        connection.close()
        sentry.stop(SHUTDOWN_TIMEOUT)

    def _guarded(self, write: Callable[[], None]) -> None:
        close_old_connections()
        try:
            write()
        except DatabaseError as exc:
            # Not an error: that would be a failure to record.
            logger.warning("Cannot record what was counted, trying again: %s", exc)
        except Exception as exc:
            logger.warning("Recording what was counted failed", exc_info=exc)
