"""Answers that fit into an agent's head."""

from typing import Any

# Characters: about 25,000 tokens in all, for what most clients take of one answer.
LONGEST = 100_000
_DEEPEST = 100


def capped(value: Any, longest: int = LONGEST, depth: int = 0) -> Any:
    """Return the value with every text in it cut to `longest` characters, and a note of it."""
    if isinstance(value, str) and len(value) > longest:
        left = len(value) - longest
        note = (
            f"\n[truncated: {left:,} of {len(value):,} characters are left out. "
            "Ask for a part of it: a range of lines, a narrower search, or head and tail.]"
        )
        return value[:longest] + note
    if isinstance(value, dict | list) and depth >= _DEEPEST:
        return "[nested too deeply]"
    if isinstance(value, dict):
        return {key: capped(item, longest, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [capped(item, longest, depth + 1) for item in value]
    return value
