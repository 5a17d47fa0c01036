"""Circuit breaker for the provider, shared by all processes through one row.

After some failures in a row no process calls the provider for a while; then one call finds out
whether it works again. All processes keep to what it asks for by Retry-After.
"""

import logging
import math
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import Error as DatabaseError
from django.db.models import F
from django.utils import timezone

from sandboxes import errors
from sandboxes.models import Breaker, Heartbeat

logger = logging.getLogger(__name__)

FAILURES = 5
# Seconds that it stays open: at first, at most, and at most when the provider asks for it.
_OPEN_FOR = (2.0, 15.0)
_MAX_ASKED = 900
# While one call finds out, no other is made for this long.
_FINDING_OUT = timedelta(seconds=10)
_answered_at = 0.0


@contextmanager
def guard() -> Iterator[None]:
    """Guard a call to the provider. Raises CircuitOpen instead of calling while it is open."""
    found = _admit()
    try:
        yield
    except errors.ProviderBusy:
        _note_answer(found)
        raise
    except errors.ProviderUnavailable as exc:
        _note_failure(found, exc.retry_after or 0)
        raise
    except errors.ProviderRejected:
        _note_answer(found)
        raise
    _note_answer(found)


def silent_for() -> float:
    """Seconds since the provider last answered this process."""
    return time.monotonic() - _answered_at


def _admit() -> Breaker:
    """The breaker as this call found it. A broken database stops no call."""
    try:
        found = Breaker.current()
        if found.state == "closed":
            return found
        now = timezone.now()
        if found.state == "half-open":
            alone = Breaker.objects.filter(pk=1, open_until=found.open_until)
            if alone.update(open_until=now + _FINDING_OUT):
                found.open_until = now + _FINDING_OUT
                return found
            found.open_until = now + timedelta(seconds=1)
    except DatabaseError as exc:
        logger.warning("Cannot read the breaker: %s", exc)
        return Breaker()
    assert found.open_until is not None  # noqa: S101 - for the type checker: it isn't closed
    raise errors.CircuitOpen(
        f"The sandbox provider is not answering. {errors.TRIES_AGAIN}",
        retry_after=max(1, math.ceil((found.open_until - now).total_seconds())),
    )


def _note_answer(found: Breaker) -> None:
    """Record an answer of any kind. A slow call from before it opened doesn't close it."""
    global _answered_at
    _answered_at = time.monotonic()
    if not (found.failures or found.open_until):
        return
    same = Breaker.objects.filter(pk=1, open_until=found.open_until)
    if same.update(failures=0, times_opened=0, open_until=None) and found.open_until:
        logger.info("The provider responds again")


def _note_failure(found: Breaker, asked: int) -> None:
    row, _ = Breaker.objects.get_or_create(pk=1)
    Breaker.objects.filter(pk=1).update(failures=F("failures") + 1)
    row.refresh_from_db()
    if not (asked or found.open_until or row.failures >= FAILURES):
        return
    first, longest = _OPEN_FOR
    seconds = min(first * 2 ** min(row.times_opened, 10), longest)
    seconds *= random.uniform(0.5, 1)  # noqa: S311 - not a secret
    until = timezone.now() + timedelta(seconds=max(seconds, min(asked, _MAX_ASKED)))
    # Of calls that fail together one decides, unless the provider asked for more.
    same = Breaker.objects.filter(pk=1, open_until=found.open_until)
    if same.update(open_until=until, times_opened=F("times_opened") + 1):
        logger.warning("The provider fails: it is not called until %s", until)
        Heartbeat.note(Heartbeat.Subject.PROVIDER, ok=False)
    elif asked:
        Breaker.objects.filter(pk=1, open_until__lt=until).update(open_until=until)
