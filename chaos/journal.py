"""Journal of what was done, by whom, and how it went."""

import threading
import time
from collections import Counter


class Mismatch(Exception):
    """Raised when the state found differs from the state expected."""


class Journal:
    def __init__(self) -> None:
        self._started = time.monotonic()
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def say(self, text: str) -> None:
        seconds = time.monotonic() - self._started
        with self._lock:
            print(f"{seconds:7.1f} s  {text}", flush=True)

    def count(self, what: str) -> None:
        with self._lock:
            self._counts[what] += 1

    def summary(self) -> None:
        for what, times in sorted(self._counts.items()):
            self.say(f"{times:5d} times: {what}")
