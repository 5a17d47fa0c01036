"""A thread of each worker, which runs the checks of sandboxes that people have asked for."""

import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor

from django.db import Error as DatabaseError
from django.db import close_old_connections, connection

from operations import self_test
from operations.models import Check

logger = logging.getLogger(__name__)

# Seconds between two looks for checks that wait.
EVERY = 0.5
# Checks at once in one worker. Each may take a minute when the sandbox does not answer.
AT_ONCE = 2


class Checker:
    def __init__(self) -> None:
        self._ending = threading.Event()
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="check")
        self._running: set[Future[None]] = set()
        self._thread = threading.Thread(target=self._run, name="checker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Take no more checks. One that is under way ends with the process, and can be repeated."""
        self._ending.set()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._thread.join(timeout)

    def _run(self) -> None:
        while not self._ending.wait(EVERY):
            close_old_connections()
            try:
                self._start_waiting()
            except DatabaseError as exc:
                logger.warning("Cannot look for checks, trying again: %s", exc)
        connection.close()

    def _start_waiting(self) -> None:
        self._running = {future for future in self._running if not future.done()}
        for check in self_test.claim(AT_ONCE - len(self._running)):
            self._running.add(self._pool.submit(_run_check, check))


def _run_check(check: Check) -> None:
    close_old_connections()
    try:
        self_test.run_check(check)
    except Exception:
        logger.exception("The check of a sandbox failed")
    finally:
        connection.close()
