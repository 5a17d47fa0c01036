"""Reading requests strictly and shaping answers as Blaxel's own server does."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import JSONResponse

# Text is sent in JSON; larger files go through multipart or the raw form.
MAX_JSON_BODY = 64 * 2**20


class ApiError(Exception):
    """Answered as ``{"error": message}`` with the status, and with a code where clients use one."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code

    def body(self) -> dict[str, str]:
        return {"error": self.message} | ({"code": self.code} if self.code else {})


class Json(JSONResponse):
    """JSON in which bytes of a file name that are not UTF-8 are lone surrogates, escaped."""

    def render(self, content: Any) -> bytes:
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "backslashreplace")


class Body:
    """The fields of a JSON object; each read names the field when its type is wrong."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields

    def _get(self, name: str, kind: type, described: str) -> Any:
        value = self._fields.get(name)
        is_flag_for_number = kind is int and isinstance(value, bool)
        if value is not None and (not isinstance(value, kind) or is_flag_for_number):
            raise ApiError(400, f"{name} must be {described}")
        return value

    def text(self, name: str, default: str = "") -> str:
        value = self._get(name, str, "a string")
        return default if value is None else encodable(name, cast(str, value))

    def path(self, name: str) -> str:
        """A path as this API's own answers have it: with lone surrogates for odd bytes."""
        return path(name, cast(str, self._get(name, str, "a string") or ""))

    def flag(self, name: str) -> bool:
        return bool(self._get(name, bool, "true or false"))

    def number(self, name: str) -> int | None:
        return cast("int | None", self._get(name, int, "a whole number"))

    def numbers(self, name: str) -> list[int]:
        values = self._get(name, list, "a list of whole numbers") or []
        if any(not isinstance(value, int) or isinstance(value, bool) for value in values):
            raise ApiError(400, f"{name} must be a list of whole numbers")
        return cast("list[int]", values)

    def texts(self, name: str, checked: Callable[[str, str], str] | None = None) -> dict[str, str]:
        """An object whose values are strings; its keys may be checked by another function."""
        values = self._get(name, dict, "an object of strings") or {}
        if any(not isinstance(value, str) for value in values.values()):
            raise ApiError(400, f"{name} must be an object of strings")
        check = checked or encodable
        return {check(name, key): encodable(name, text) for key, text in values.items()}

    def objects(self, name: str) -> list[Body]:
        values = self._get(name, list, "a list of objects") or []
        if any(not isinstance(value, dict) for value in values):
            raise ApiError(400, f"{name} must be a list of objects")
        return [Body(value) for value in values]


def encodable(name: str, text: str) -> str:
    """Refuse lone surrogates: JSON can spell them, UTF-8 can't."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ApiError(400, f"{name} is not valid Unicode text") from None
    return text


def path(name: str, text: str) -> str:
    """Refuse what is no path, in which lone surrogates stand for bytes that are not UTF-8."""
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        raise ApiError(400, f"{name} is not valid Unicode text") from None
    return text


def without_nul(name: str, text: str) -> str:
    if "\0" in text:
        raise ApiError(400, f"{name} must not contain a NUL byte")
    return text


async def read_body(request: Request, limit: int = MAX_JSON_BODY) -> bytes:
    chunks, size = [], 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise ApiError(413, f"the body is larger than {limit} bytes")
            chunks.append(chunk)
    except ClientDisconnect:
        raise ApiError(400, "the request ended before its body did") from None
    return b"".join(chunks)


async def read_json(request: Request) -> Body:
    try:
        fields = json.loads(await read_body(request))
    except (ValueError, RecursionError) as exc:
        raise ApiError(400, f"the body is not valid JSON: {exc}") from exc
    if not isinstance(fields, dict):
        raise ApiError(400, "the body must be a JSON object")
    return Body(fields)


def query_text(request: HTTPConnection, name: str, default: str = "") -> str:
    """Return a parameter; bytes that are not UTF-8 are lone surrogates, as in names of files."""
    query: bytes = request.scope["query_string"]
    found = parse_qsl(query.decode("latin-1"), keep_blank_values=True, errors="surrogateescape")
    return dict(found).get(name, default)


def query_flag(request: Request, name: str, default: bool = False) -> bool:
    return query_text(request, name, str(default)).lower() == "true"


def query_number(request: Request, name: str, default: int) -> int:
    text = query_text(request, name)
    if not text:
        return default
    if not text.isascii() or not text.isdigit():
        raise ApiError(400, f"{name} must be a whole number")
    return int(text[:18])


def query_list(request: Request, name: str) -> list[str]:
    return [part for part in query_text(request, name).split(",") if part]
