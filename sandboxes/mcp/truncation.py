"""Truncation of very long texts in a result, which would fill an agent's context."""

from typing import Any

# Characters: about 25,000 tokens in all, for what most clients take of one answer.
MAX_LENGTH = 100_000
_MAX_DEPTH = 100


def truncated(value: Any, max_length: int = MAX_LENGTH, depth: int = 0) -> Any:
    """Return the value with every text in it cut to `max_length` characters, and a note of it."""
    if isinstance(value, str) and len(value) > max_length:
        left = len(value) - max_length
        note = (
            f"\n[truncated: {left:,} of {len(value):,} characters are left out. "
            "Ask for a part of it: a range of lines, a narrower search, or head and tail.]"
        )
        return value[:max_length] + note
    if isinstance(value, dict | list) and depth >= _MAX_DEPTH:
        return "[nested too deeply]"
    if isinstance(value, dict):
        return {key: truncated(item, max_length, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [truncated(item, max_length, depth + 1) for item in value]
    return value
