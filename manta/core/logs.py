"""Log formatting, as text or as JSON, with secrets removed."""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

REDACTED = "[redacted]"
_MAX_MESSAGE_LENGTH = 10_000
# With a traceback, in which the text of an exception may be any sandbox's.
_MAX_RECORD_LENGTH = 100_000
# Shorter values are words that may well stand somewhere else.
_SHORTEST_SECRET = 8
_SECRETS = ("BLAXEL_API_KEY", "SECRET_KEY", "EMAIL_HOST_PASSWORD", "METRICS_TOKEN")
# Each keeps its first group, so that a reader sees what has been left out.
_PATTERNS = (
    re.compile(r"""(?i)((?:set-)?cookie["']?\s*[:=]\s*["']?)[^"'\n]+"""),
    re.compile(r"""(?i)(\b(?:bearer|basic)\s+)[\w.~+/=-]+"""),
    re.compile(
        r"""(?ix)((?:authorization|password|secret|api[_-]?key|token|sessionid)["']?\s*[:=]\s*["']?
        (?:(?:bearer|basic)\s+)?)[^\s"'&;,<>)\]]+"""
    ),
    # Its first part names a personal token, and is no secret.
    re.compile(r"(manta_pat_[0-9a-f]{16}_)[0-9a-f]+"),
    re.compile(r"(manta_(?:agent|refresh|code)_)[0-9a-f]+"),
    re.compile(r"""(://[^/\s:@]*:)[^/\s@]+(?=@)"""),
)
# What every record has; the rest was given as extra={...}.
# What moves a terminal's cursor, hides text or turns its direction, beside the line breaks and
# tabs of a traceback.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_USUAL = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", "request_id"}


class OfStrangers(logging.Filter):
    """One record a minute of each logger, without its traceback.

    Any client can cause as many as it likes, with an odd Host or a form that is too large: the log
    stays readable and the disk free. An admin who left a name out of ALLOWED_HOSTS still reads it.
    """

    EVERY = 60.0

    def __init__(self) -> None:
        super().__init__()
        self._told_at: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not self._is_news(record.name, record.created):
            return False
        record.exc_info = record.exc_text = None
        return True

    def _is_news(self, kind: str, now: float) -> bool:
        if now - self._told_at.get(kind, 0.0) < self.EVERY:
            return False
        self._told_at[kind] = now
        return True


class OfConnections(OfStrangers):
    """The same of the server's remarks about connections, by their texts. Tracebacks pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        return bool(record.exc_info) or self._is_news(str(record.msg), record.created)


def redact(text: str) -> str:
    """Leave out the values of secrets, and whatever looks like a credential."""
    for name in _SECRETS:
        secret = getattr(settings, name)
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, REDACTED)
    for pattern in _PATTERNS:
        text = pattern.sub(rf"\1{REDACTED}", text)
    return text


class LineFormatter(logging.Formatter):
    """One line a record, for people; only a traceback has more."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        # A name with a line break in it must not look like a record of its own.
        record.message = _shortened(record.message).replace("\r", "\\r").replace("\n", "\\n")
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        text = redact(_shortened(super().format(record), _MAX_RECORD_LENGTH))
        return _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)


class JSONFormatter(logging.Formatter):
    """One JSON object a record, for programs."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redact(_shortened(record.getMessage())),
            "request_id": getattr(record, "request_id", ""),
            **_extra(record),
        }
        if record.exc_info:
            fields["exception"] = redact(
                _shortened(self.formatException(record.exc_info), _MAX_RECORD_LENGTH)
            )
        text = json.dumps(fields, ensure_ascii=False)
        return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _shortened(message: str, most: int = _MAX_MESSAGE_LENGTH) -> str:
    left = len(message) - most
    return message if left <= 0 else f"{message[:most]}… and {left} characters more"


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    given = {name: value for name, value in vars(record).items() if name not in _USUAL}
    plain = {name: value for name, value in given.items() if isinstance(value, int | float | str)}
    return {
        name: redact(_shortened(value)) if isinstance(value, str) else value
        for name, value in plain.items()
    }
