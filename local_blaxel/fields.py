"""Reading JSON that a stranger sent: each reader checks one type and names the field."""

import json
from collections.abc import Callable
from typing import Any, NoReturn

from starlette.requests import ClientDisconnect, Request

from local_blaxel.errors import Invalid, TooLarge

MAX_BODY = 1 << 20
# What is stored is copied and written recursively.
MAX_DEPTH = 32


async def body(request: Request) -> dict[str, Any]:
    """The request's JSON object, read up to 1 MiB."""
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > MAX_BODY:
        raise TooLarge(f"The body is larger than {MAX_BODY} bytes.")
    raw = bytearray()
    try:
        async for chunk in request.stream():
            raw += chunk
            if len(raw) > MAX_BODY:
                raise TooLarge(f"The body is larger than {MAX_BODY} bytes.")
    except ClientDisconnect as exc:
        raise Invalid("The body ended early.") from exc
    return an_object(parsed(bytes(raw)), "the body")


def parsed(raw: bytes, *, has_paths: bool = False) -> Any:
    """The JSON value that these bytes are; Invalid when they are none, or a very deep one.

    With paths in it, it may have lone surrogates for bytes that are not UTF-8.
    """
    try:
        value = json.loads(raw, parse_constant=_refuse_constant)
        if b"\\u" in raw:
            # An escaped half of a surrogate pair parses, and can't be written out again.
            errors = "surrogateescape" if has_paths else "strict"
            json.dumps(value, ensure_ascii=False).encode("utf-8", errors)
    except (ValueError, RecursionError) as exc:
        raise Invalid("The body is not valid JSON.", code="INVALID_INPUT") from exc
    if _is_deeper(value, MAX_DEPTH):
        raise Invalid(f"The body is nested deeper than {MAX_DEPTH} levels.", code="INVALID_INPUT")
    return value


def _is_deeper(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels == 0 or any(_is_deeper(each, levels - 1) for each in inner)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def an_object(value: Any, field: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid(f"{field} must be an object.")
    return value


def maybe_object(value: Any, field: str) -> dict[str, Any]:
    return {} if value is None else an_object(value, field)


def a_list(value: Any, field: str, *, code: str | None = None) -> list[Any]:
    if not isinstance(value, list) or len(value) > 1000:
        raise Invalid(f"{field} must be a list of at most 1000 items.", code=code)
    return value


def a_string(value: Any, field: str, *, longest: int = 4096) -> str:
    if not isinstance(value, str) or len(value) > longest:
        raise Invalid(f"{field} must be a string of at most {longest} characters.")
    return value


def a_flag(value: Any, field: str) -> bool:
    if not isinstance(value, bool):
        raise Invalid(f"{field} must be true or false.")
    return value


def a_number(value: Any, field: str, low: int, high: int, *, code: str | None = None) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise Invalid(f"{field} must be a whole number from {low} to {high}.", code=code)
    return value


def a_string_map(value: Any, field: str) -> dict[str, str]:
    pairs = an_object(value, field)
    return {key: a_string(text, f"{field}.{key}") for key, text in pairs.items()}


def read_by(reader: Callable[[str], float], value: Any, field: str) -> str:
    """Check a duration or a date with its reader from `clock`, and keep it as it was written."""
    text = a_string(value, field, longest=64)
    try:
        reader(text)
    except ValueError as exc:
        raise Invalid(f"{field}: {exc}.") from exc
    return text


def a_query_number(request: Request, name: str, default: int, low: int, high: int) -> int:
    """A number of the query, clamped to its range."""
    text = request.query_params.get(name, str(default))
    if not text.isdecimal() or len(text) > 9:
        raise Invalid(f"{name} must be a whole number.")
    return min(max(int(text), low), high)


def a_query_flag(request: Request, name: str) -> bool:
    text = request.query_params.get(name, "false").lower()
    if text not in ("true", "false"):
        raise Invalid(f"{name} must be true or false.")
    return text == "true"
