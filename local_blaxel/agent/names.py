"""Names as a part of an address: which ones can be, and which name an address means."""

from __future__ import annotations

from urllib.parse import quote, unquote_to_bytes

from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import Match, Route
from starlette.types import Scope

from .wire import ApiError

MAX_LENGTH = 255


def addressable(name: str) -> str:
    """The name. Raises ApiError 400 for one that no address can have as a part."""
    if name in (".", ".."):
        raise ApiError(400, f"name must not be {name!r}: no address can have it as a part")
    if len(name) > MAX_LENGTH or any(character < " " or character == "\x7f" for character in name):
        raise ApiError(400, f"name must be {MAX_LENGTH} characters at most, no control characters")
    return name


class _Name(Convertor[str]):
    """A part of an address between two slashes, decoded."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        return unquote_to_bytes(value.encode("latin-1")).decode(errors="replace")

    def to_string(self, value: str) -> str:
        return quote(value, safe="")


register_url_convertor("name", _Name())


class NameRoute(Route):
    """Matches the address as it was sent, where a slash that belongs to a name is encoded."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if "raw_path" in scope:
            scope = {**scope, "path": scope["raw_path"].decode("latin-1")}
        return super().matches(scope)
