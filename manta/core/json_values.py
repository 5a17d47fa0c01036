"""A limit for the number of values in JSON that strangers send.

A parser makes an object of each value, up to fifty times as large as its text, and nothing else
runs in the process meanwhile: a limit of bytes alone lets eight megabytes take many seconds.
"""

import json
import re
from typing import Any

# Strings, brackets and commas; a field of an object has three of them.
MAX_TOKENS = 500_000
# A string may be cut off. Repetitions are possessive: none is tried again from the middle.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{,]', re.DOTALL)


class TooManyValues(ValueError):
    """JSON that has more values than are read."""


def check(text: bytes, max_tokens: int = MAX_TOKENS) -> None:
    """Raise TooManyValues for JSON of too many values. The text may be no JSON at all."""
    # As many as there can be, in far less time than it takes to find them.
    if sum(map(text.count, (b'"', b"[", b"{", b","))) <= max_tokens:
        return
    for number, _ in enumerate(_TOKEN.finditer(text)):
        if number >= max_tokens:
            raise TooManyValues("It has too many values.")


def loads(text: bytes, max_tokens: int = MAX_TOKENS) -> Any:
    """Read JSON. Raises ValueError, and RecursionError for what is nested too deeply."""
    check(text, max_tokens)
    return json.loads(text)
