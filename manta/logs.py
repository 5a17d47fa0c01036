"""How log records are written: as lines or as JSON, and never with a secret in them."""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

REDACTED = "[redacted]"
_LONGEST_MESSAGE = 10_000
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
_USUAL = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", "request_id"}


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
        return redact(super().format(record))


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
            fields["exception"] = redact(self.formatException(record.exc_info))
        return json.dumps(fields, ensure_ascii=False)


def _shortened(message: str) -> str:
    left = len(message) - _LONGEST_MESSAGE
    return message if left <= 0 else f"{message[:_LONGEST_MESSAGE]}… and {left} characters more"


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    given = {name: value for name, value in vars(record).items() if name not in _USUAL}
    plain = {name: value for name, value in given.items() if isinstance(value, int | float | str)}
    return {
        name: redact(_shortened(value)) if isinstance(value, str) else value
        for name, value in plain.items()
    }
