"""Arguments as they may be kept: without secrets, as far as these can be told, and shortened."""

import json
import re
from typing import Any

_MASK = "[masked]"
_LONGEST_TEXT = 2_000
# More than is kept, so that no secret is cut into something that doesn't look like one.
_LOOKED_AT = 4_000
_MOST_ITEMS, _DEEPEST, _LONGEST = 50, 6, 20_000

_SECRET_NAME = re.compile(
    r"token|passw|passphrase|secret|authorization|api[_-]?key|private[_-]?key|credential|cookie",
    re.IGNORECASE,
)
_SECRET_VALUES = re.compile(
    r"manta_[a-z]+_[0-9a-f_]{32,}"
    r"|\b(?:sk|pk|rk)[-_][A-Za-z0-9_-]{16,}"
    r"|\bgh[pousr]_[A-Za-z0-9]{16,}|\bgithub_pat_\w{16,}|\bglpat-[\w-]{16,}"
    r"|\bxox[a-z]-[\w-]{10,}|\bAKIA[0-9A-Z]{16}\b|\bAIza[\w-]{30,}"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
# What stands before the secret stays: it says what was masked.
_AFTER = (
    re.compile(r"(\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE),
    re.compile(
        r"(\b[\w-]*(?:token|passw(?:or)?d|secret|api[_-]?key|private[_-]?key)[\w-]*[\"']?\s*[=:]\s*)"
        r"(?!\[masked\])(?:\"[^\"]*\"|'[^']*'|[^\s\"'&;,]+)",
        re.IGNORECASE,
    ),
    re.compile(r"(--?(?:token|password|secret|api-key)\s+)\S+", re.IGNORECASE),
    re.compile(r"(://[^\s/:@]*:)[^\s/@]+(?=@)"),
)


def masked(arguments: dict[str, Any]) -> str:
    """The arguments as JSON that may be kept."""
    written = json.dumps(_masked(arguments, 0), ensure_ascii=False)
    # A text may hold what no database takes.
    return _cut(written.encode("utf-8", "replace").decode(), _LONGEST)


def _masked(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return _text(value)
    if depth >= _DEEPEST and isinstance(value, dict | list):
        return "[…]"
    if isinstance(value, list):
        kept = [_masked(item, depth + 1) for item in value[:_MOST_ITEMS]]
        return kept + _more(len(value))
    if isinstance(value, dict):
        kept_items = list(value.items())[:_MOST_ITEMS]
        shown = {_text(str(name)): _item(str(name), item, depth) for name, item in kept_items}
        return shown | ({"…": _more(len(value))[0]} if len(value) > _MOST_ITEMS else {})
    return value


def _item(name: str, value: Any, depth: int) -> Any:
    if name.lower() in ("env", "environment", "env_vars") and isinstance(value, dict):
        return {_text(str(key)): _MASK for key in list(value)[:_MOST_ITEMS]}
    if _SECRET_NAME.search(name) and isinstance(value, str | dict | list):
        return _MASK
    return _masked(value, depth + 1)


def _text(value: str) -> str:
    shown = _SECRET_VALUES.sub(_MASK, value[:_LOOKED_AT].replace("\0", "\ufffd"))
    for pattern in _AFTER:
        shown = pattern.sub(rf"\1{_MASK}", shown)
    return _cut(shown, _LONGEST_TEXT, len(value))


def _cut(text: str, longest: int, length: int | None = None) -> str:
    length = len(text) if length is None else length
    return text if length <= longest else f"{text[:longest]}… [{length:,} characters]"


def _more(count: int) -> list[str]:
    return [f"[{count - _MOST_ITEMS:,} more]"] if count > _MOST_ITEMS else []
