"""Moments and durations, as the API writes them."""

import re
from datetime import UTC, datetime

_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_MAX_LENGTH = 100 * 365 * _SECONDS["d"]


def duration(text: str) -> float:
    """Read `30s`, `5m`, `24h`, `7d` or `2w`, in seconds; ValueError for anything else."""
    match = _DURATION.fullmatch(text.strip())
    seconds = float(match[1]) * _SECONDS[match[2]] if match else 0.0
    if not 0 < seconds <= _MAX_LENGTH:
        raise ValueError(f"{text[:40]!r} is not a duration such as 30s, 5m, 24h, 7d or 2w")
    return seconds


def moment(text: str) -> float:
    """Read an ISO 8601 date as seconds since the epoch; a date without a zone means UTC.

    The SDKs append Z to whatever `isoformat` gave them, so `…+02:00Z` is read as well.
    """
    bare = re.sub(r"([+-]\d\d:\d\d)Z$", r"\1", text.strip())
    try:
        read = datetime.fromisoformat(bare)
    except ValueError as exc:
        raise ValueError(f"{text[:40]!r} is not an ISO 8601 date") from exc
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def written(seconds: float) -> str:
    """Write a moment as RFC 3339 with microseconds and Z."""
    # Not strftime, which writes the years before 1000 with fewer than four digits.
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")[:-6] + "Z"
