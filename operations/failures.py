"""Failures, grouped for the admin: a logging handler that counts, and a flush that writes.

The handler touches no database, so that it can neither fail a request, nor slow a storm down, nor
call itself. The recorder's thread flushes; while the database is away, what was counted waits.
"""

import hashlib
import logging
import threading
import traceback
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from manta.core.logs import redact
from manta.core.request_context import current_request_id

# Kinds of failures between two flushes; more are in the log only.
MAX_KINDS = 50
_MAX_TRACEBACK_LENGTH = 20_000
# Requests that were refused for what they are: an odd Host, a tampered cookie.
OF_STRANGERS = "django.security"


@dataclass
class _Kind:
    title: str
    location: str
    traceback: str
    first_seen: datetime
    last_seen: datetime
    request_id: str
    count: int = 0


_kinds: dict[str, _Kind] = {}
_lock = threading.Lock()


class FailureHandler(logging.Handler):
    """Counts exceptions that were not handled, and what was given up on with an error_code.

    An error without either is left to the log: its text may be a stranger's, and each a new kind.
    """

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._count(record)
        except Exception:
            self.handleError(record)

    def _count(self, record: logging.LogRecord) -> None:
        exc = record.exc_info[1] if record.exc_info else None
        code = getattr(record, "error_code", "")
        if (exc is None and not code) or record.name.startswith(OF_STRANGERS):
            return
        location = "" if code else _location(exc)
        name = code or type(exc).__qualname__
        fingerprint = hashlib.sha256(f"{name} {location}".encode()).hexdigest()
        with _lock:
            kind = _kinds.get(fingerprint)
            if kind is None:
                if len(_kinds) >= MAX_KINDS:
                    return
                kind = _kinds[fingerprint] = _describe(record, name, location, exc)
            kind.count += 1
            kind.last_seen = timezone.now()
            kind.request_id = current_request_id()


def _describe(
    record: logging.LogRecord, name: str, location: str, exc: BaseException | None
) -> _Kind:
    now = timezone.now()
    lines = traceback.format_exception(exc) if exc else []
    return _Kind(
        title=redact(f"{name}: {exc or record.getMessage()}")[:255],
        location=location[:255],
        traceback=redact("".join(lines))[-_MAX_TRACEBACK_LENGTH:],
        first_seen=now,
        last_seen=now,
        request_id="",
    )


def _location(exc: BaseException | None) -> str:
    """The innermost function of ours that it passed; else the innermost of all."""
    places = [
        (Path(frame.f_code.co_filename), frame.f_code.co_qualname)
        for frame, _ in traceback.walk_tb(exc.__traceback__ if exc else None)
    ]
    ours = [place for place in places if _is_ours(place[0])]
    if not places:
        return ""
    path, function = (ours or places)[-1]
    shown = path.relative_to(settings.BASE_DIR) if ours else path.name
    return f"{shown}:{function}"


def _is_ours(path: Path) -> bool:
    return path.is_relative_to(settings.BASE_DIR) and "site-packages" not in path.parts


def flush(place: str) -> None:
    """Write what was counted since the last flush; what can't be written stays counted."""
    with _lock:
        taken = dict(_kinds)
        _kinds.clear()
    try:
        for fingerprint in list(taken):
            _write(fingerprint, taken[fingerprint], place)
            del taken[fingerprint]
    finally:
        _put_back(taken)


def _write(fingerprint: str, kind: _Kind, place: str) -> None:
    # Logging is set up before the models can be imported.
    from django.db.models import F

    from operations.models import Failure

    last = {
        "title": kind.title,
        "last_seen": kind.last_seen,
        "last_place": place,
        "last_request_id": kind.request_id,
        "last_traceback": kind.traceback,
    }
    new = {**last, "location": kind.location, "first_seen": kind.first_seen, "count": kind.count}
    _, created = Failure.objects.get_or_create(fingerprint=fingerprint, defaults=new)
    if not created:
        again = Failure.objects.filter(fingerprint=fingerprint)
        again.update(count=F("count") + kind.count, **last)


def _put_back(kinds: dict[str, _Kind]) -> None:
    with _lock:
        for fingerprint, kind in kinds.items():
            if fingerprint in _kinds:
                _kinds[fingerprint].count += kind.count
                _kinds[fingerprint].first_seen = kind.first_seen
            elif len(_kinds) < MAX_KINDS:
                _kinds[fingerprint] = kind
