"""Arguments as they may be kept: without secrets, as far as these can be told, and shortened.

An agent sends what it likes. The work is therefore bounded twice: `abridged` takes a copy of no
more than a budget of characters, and `written` goes through it with patterns that are linear. A
pattern begins where nothing of its own kind stands before, and its repetitions are possessive
(`*+`, `++`): none is tried again from the middle.
"""

import json
import math
import re
from dataclasses import dataclass
from typing import Any

_MASK = "[masked]"
_MAX_TEXT_LENGTH = 2_000
# More than is kept, so that no secret is cut into something that doesn't look like one.
_LOOKED_AT = 4_000
_MAX_ITEMS, _MAX_DEPTH, _MAX_LENGTH = 50, 6, 20_000
# Characters of one call that are looked at; a value that is no text counts as one.
_BUDGET = 24_000
# What no number that means something is: to write one of a million digits takes long.
_LARGEST = 2**63

_SECRET_NAME = re.compile(
    r"token|passw|passphrase|secret|authorization|api[_-]?key|private[_-]?key|credential|cookie",
    re.IGNORECASE,
)
# As a name stands in front of a value within a text: tokenLimit: 30 is none.
_SECRET_WORD = re.compile(r"token|passw(?:or)?d|secret|api[_-]?key|private[_-]?key", re.IGNORECASE)
_SECRET_VALUES = re.compile(
    r"manta_[a-z]++_[0-9a-f_]{32,}+"
    r"|\b(?:sk|pk|rk)[-_][A-Za-z0-9_-]{16,}+"
    r"|\bgh[pousr]_[A-Za-z0-9]{16,}+|\bgithub_pat_\w{16,}+|\bglpat-[\w-]{16,}+"
    r"|\bxox[a-z]-[\w-]{10,}+|\bAKIA[0-9A-Z]{16}\b|\bAIza[\w-]{30,}+"
    r"|(?<![\w-])-*+eyJ[\w-]{8,}+\.[\w-]{8,}+\.[\w-]*+"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
# A word that is given a value, and the value. A quote that isn't closed goes on to the end.
_NAMED = re.compile(r"(?<![\w-])[\w-]++[\"']?\s*+[=:]\s*+(?!\[masked\])")
_VALUE = re.compile(r"\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z)|[^\s\"'&;,]++")
# What stands before the secret stays: it says what was masked.
_AFTER = (
    re.compile(r"(\b(?:bearer|basic)\s++)[A-Za-z0-9._~+/=-]{6,}+", re.IGNORECASE),
    re.compile(r"(--?(?:token|password|secret|api-key)\s++)\S++", re.IGNORECASE),
    re.compile(r"(://[^\s/:@]*+:)[^\s/@]++(?=@)"),
)


@dataclass(frozen=True)
class _Text:
    """The beginning of a text, and how long it is in all."""

    start: str
    length: int


@dataclass(frozen=True)
class _Items:
    """The first of a list's values, or of an object's pairs, and how many are left out."""

    kept: list[Any]
    left_out: int
    is_object: bool


Abridged = _Text | _Items | Any


def masked(arguments: dict[str, Any]) -> str:
    """The arguments as JSON that may be kept."""
    return written(abridged(arguments))


def abridged(arguments: dict[str, Any]) -> Abridged:
    """Return the part of the arguments that is examined; its cost does not grow with them."""
    left = _BUDGET

    def text(value: str) -> _Text:
        nonlocal left
        start = value[: max(0, min(_LOOKED_AT, left))]
        left -= len(start)
        return _Text(start, len(value))

    def taken(value: Any, depth: int) -> Abridged:
        nonlocal left
        left -= 1
        if isinstance(value, str):
            return text(value)
        if isinstance(value, int) and abs(value) >= _LARGEST:
            return _Text("[number]", 8)
        if isinstance(value, float) and not math.isfinite(value):
            return _Text("[number]", 8)  # JSON has no such number: no record would be readable
        if isinstance(value, dict | list) and (depth >= _MAX_DEPTH or left <= 0):
            return _Text("[…]", 3)
        if isinstance(value, list):
            items = [taken(item, depth + 1) for item in value[:_MAX_ITEMS]]
            return _Items(items, max(0, len(value) - _MAX_ITEMS), is_object=False)
        if isinstance(value, dict):
            first = [pair for pair, _ in zip(value.items(), range(_MAX_ITEMS), strict=False)]
            pairs = [(text(str(name)), taken(item, depth + 1)) for name, item in first]
            return _Items(pairs, max(0, len(value) - _MAX_ITEMS), is_object=True)
        return value

    return taken(arguments, 0)


def written(value: Abridged) -> str:
    """Return what was abridged as JSON that may be stored, without its secrets."""
    text = json.dumps(_shown(value), ensure_ascii=False)
    # A text may hold what no database takes.
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}{_length(len(text))}"


def _shown(value: Abridged) -> Any:
    if isinstance(value, _Text):
        return _without_secrets(value)
    if not isinstance(value, _Items):
        return value
    more = f"[{value.left_out:,} more]"
    if value.is_object:
        shown = {_without_secrets(name): _item(name, item) for name, item in value.kept}
        return shown | ({"…": more} if value.left_out else {})
    return [_shown(item) for item in value.kept] + ([more] if value.left_out else [])


def _item(name: _Text, value: Abridged) -> Any:
    is_environment = name.start.lower() in ("env", "environment", "env_vars")
    if is_environment and isinstance(value, _Items) and value.is_object:
        return {_without_secrets(key): _MASK for key, _ in value.kept}
    is_secret = len(name.start) < name.length or _SECRET_NAME.search(name.start)
    if is_secret and isinstance(value, _Text | _Items):
        return _MASK
    return _shown(value)


def _without_secrets(value: _Text) -> str:
    text = _SECRET_VALUES.sub(_MASK, value.start.replace("\0", "\ufffd"))
    text = _without_values(text)
    for pattern in _AFTER:
        text = pattern.sub(rf"\1{_MASK}", text)
    if len(value.start) < value.length:
        # A secret that was cut may not look like one: it is among what is left out here.
        text = text[: max(0, len(text) - (_LOOKED_AT - _MAX_TEXT_LENGTH))]
    elif len(text) <= _MAX_TEXT_LENGTH:
        return text
    return text[:_MAX_TEXT_LENGTH] + _length(value.length)


def _without_values(text: str) -> str:
    """Remove the values assigned to names of secrets."""
    pieces, done = [], 0
    for named in _NAMED.finditer(text):
        # Asked first: a value may be all the rest, and is read only where it is left out.
        if named.start() < done or not _SECRET_WORD.search(named[0]):
            continue
        if value := _VALUE.match(text, named.end()):
            pieces += [text[done : named.end()], _MASK]
            done = value.end()
    return "".join([*pieces, text[done:]])


def _length(characters: int) -> str:
    return f"… [{characters:,} characters]"
