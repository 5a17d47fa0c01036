"""One sandbox's share of this process's threads, and a circuit breaker for each sandbox.

A sandbox's server is whatever its person makes of it. One that never answers holds its threads
for as long as it takes to notice that, and then none: all other sandboxes answer.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from sandboxes import errors
from sandboxes.models.reach import Reach

# Requests to one sandbox that are under way, and more that may wait for one of them to end.
MAX_IN_FLIGHT, _MAX_WAITING = 3, 3
# Seconds that one waits at most.
_WAIT = 1.0
# So many answers in a row that did not come, and no other is waited for during these seconds; the
# time doubles while the next one doesn't come either.
_FAILURES, _FIRST_REST, _MAX_REST = 2, 5.0, 30.0


@dataclass
class _Share:
    freed: threading.Condition
    in_flight: int = 0
    waiting: int = 0
    failures: int = 0
    open_until: float = 0.0
    # Set while the breaker is open and one request finds out if the sandbox answers again.
    is_tried: bool = False

    @property
    def is_idle(self) -> bool:
        return not (self.in_flight or self.waiting or self.failures)

    @property
    def is_open(self) -> bool:
        return self.failures >= _FAILURES


@dataclass
class Shares:
    """Shares of all sandboxes that this process calls; one with nothing to remember is not kept."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _shares: dict[str, _Share] = field(default_factory=dict)
    # Of which sandboxes this thread holds a place.
    _held: threading.local = field(default_factory=threading.local)

    @contextmanager
    def place(self, reach: Reach) -> Iterator[None]:
        """Hold one of the sandbox's places, for several requests and what is between them.

        Raises ProviderUnavailable where there is none.
        """
        outcome, key = self.take(reach.url), key_of(reach.url)
        held: set[str] = vars(self._held).setdefault("keys", set())
        is_first = key not in held
        held.add(key)
        try:
            yield
        finally:
            if is_first:
                held.discard(key)
            outcome.end()

    def take(self, url: str) -> "Outcome":
        """A place for one request, unless its thread has one: outcome.end() gives it back."""
        key = key_of(url)
        is_within = key in vars(self._held).get("keys", ())
        with self._lock:
            if is_within and key in self._shares:
                return Outcome(self, key, self._shares[key], is_within=True)
            share = self._shares.setdefault(key, _Share(threading.Condition(self._lock)))
            try:
                self._expect_answers(share)
                self._wait(share)
                self._expect_answers(share)
            except errors.ProviderUnavailable:
                self._forget(key, share)
                raise
            share.in_flight += 1
            share.is_tried = share.is_open
        return Outcome(self, key, share)

    def _expect_answers(self, share: _Share) -> None:
        if share.is_open and (share.is_tried or time.monotonic() < share.open_until):
            raise errors.ProviderUnavailable(f"Your sandbox is not answering. {errors.TRIES_AGAIN}")

    def _wait(self, share: _Share) -> None:
        if share.in_flight < MAX_IN_FLIGHT:
            return
        if share.waiting < _MAX_WAITING:
            share.waiting += 1
            try:
                if share.freed.wait_for(lambda: share.in_flight < MAX_IN_FLIGHT, _WAIT):
                    return
            finally:
                share.waiting -= 1
        raise errors.ProviderBusy("Your sandbox is busy with other requests. Try again.")

    def note(self, share: _Share, answered: bool | None) -> None:
        """Record whether the sandbox answered; None where that can't be told."""
        with self._lock:
            if answered:
                share.failures = 0
            elif answered is False:
                share.failures += 1
                times = max(0, share.failures - _FAILURES)
                rest = min(_FIRST_REST * 2 ** min(times, 10), _MAX_REST)
                share.open_until = time.monotonic() + rest

    def give_back(self, key: str, share: _Share) -> None:
        with self._lock:
            share.in_flight -= 1
            share.is_tried = False
            share.freed.notify()
            self._forget(key, share)

    def _forget(self, key: str, share: _Share) -> None:
        if share.is_idle:
            self._shares.pop(key, None)

    def forget_all(self) -> None:
        """Close every breaker."""
        with self._lock:
            self._shares.clear()


class Outcome:
    """A place that is held. answered stays None where it can't be told."""

    def __init__(self, shares: Shares, key: str, share: _Share, *, is_within: bool = False) -> None:
        self._shares, self._key, self._share = shares, key, share
        self._is_within = is_within
        self._has_ended = False
        self.answered: bool | None = None

    def end(self) -> None:
        """Give the place back; once more does nothing."""
        if self._has_ended:
            return
        self._has_ended = True
        self._shares.note(self._share, self.answered)
        if not self._is_within:
            self._shares.give_back(self._key, self._share)


def key_of(url: str) -> str:
    """Return the sandbox's key: the host or, on a shared host, the beginning of the path."""
    parts = urlsplit(url)
    first = parts.path.split("/")[1:4]
    if first[:1] == ["preview"]:
        first = first[:2]
    elif len(first) < 3 or first[1] != "sandboxes":
        first = []
    return f"{parts.netloc}/{'/'.join(first)}"


shares = Shares()
# Held over several requests to one sandbox, and over what is waited for between them.
place = shares.place
