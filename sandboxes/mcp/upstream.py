"""MCP client for the sandbox's own MCP server, which passes its answers on unchanged."""

import asyncio
import itertools
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import httpx2 as httpx

from manta.core import json_values
from manta.core.computing import in_thread
from sandboxes.data_plane.bounded import PLAIN, NoCookies
from sandboxes.models.reach import Reach, gateway_code, note_answer

# Seconds. A tool may wait for a command for almost a minute before it says anything.
TIMEOUT = httpx.Timeout(120, connect=5)
# How long the end of a response may be waited for when all of the answer is there.
_END_TIMEOUT = 0.1
# Bytes of an answer with all that comes before it; a larger one than _SMALL is read in a thread.
MAX_BYTES, _SMALL = 32 * 2**20, 64 * 2**10
_MAX_NOTIFICATIONS = 10_000
_DATA = re.compile(rb"^data:(.*)$", re.MULTILINE)
_ids = itertools.count(1)
# Told of each notification that comes before the answer.
OnNotification = Callable[[dict[str, Any]], Awaitable[None]]


_JSON = {"Content-Type": "application/json"}
_INVALID_PARAMS, _INTERNAL_ERROR = -32602, -32603
# Values of one answer: an agent has use for far fewer.
_MAX_TOKENS = 250_000
_TOO_MUCH = "The response has too many values. Ask for a part of it, such as a smaller folder."


class Refused(Exception):
    """Raised for an error that the sandbox's MCP server returned; args: code, message, data."""


class Unreachable(Exception):
    """Raised when the sandbox did not respond, or not as MCP demands."""


def new_client() -> httpx.AsyncClient:
    headers = {"Accept": "application/json, text/event-stream", **PLAIN}
    # Few idle ones: before each request the client asks all of them whether they are still open.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=4)
    # One client asks all sandboxes.
    return httpx.AsyncClient(timeout=TIMEOUT, headers=headers, limits=limits, cookies=NoCookies())


async def ask(
    http: httpx.AsyncClient,
    reach: Reach,
    method: str,
    params: dict[str, Any] | None,
    on_notification: OnNotification,
) -> dict[str, Any]:
    """Return the result of one request. Wakes the sandbox. Raises Refused or Unreachable."""
    message = {"jsonrpc": "2.0", "id": next(_ids), "method": method, "params": params or {}}
    body = _encoded(message)
    where = reach.at("/mcp").as_request(_JSON)
    try:
        async with http.stream("POST", **where, content=body) as response:
            note_answer(response.status_code, reach.headers)
            if response.headers.get("Content-Type", "").startswith("text/event-stream"):
                answer = await _last_of(response, on_notification)
            else:
                answer = await _parsed(b"".join([piece async for piece in _pieces(response)]))
            note_answer(response.status_code, reach.headers, gateway_code(answer))
    except json_values.TooManyValues as exc:
        raise Refused(_INTERNAL_ERROR, _TOO_MUCH, None) from exc
    except (httpx.HTTPError, ValueError, RecursionError) as exc:
        raise Unreachable from exc
    return _result_of(answer)


def _result_of(answer: Any) -> dict[str, Any]:
    """Raises Refused for an error of JSON-RPC, and Unreachable for what is no answer of it."""
    answer = answer if isinstance(answer, dict) else {}
    error, result = answer.get("error"), answer.get("result")
    if isinstance(error, dict) and type(error.get("code")) is int:
        raise Refused(error["code"], str(error.get("message") or ""), error.get("data"))
    if not isinstance(result, dict):
        raise Unreachable
    return result


def _encoded(message: dict[str, Any]) -> bytes:
    """Raise Refused for invalid JSON that Python's parser accepts: it is the caller's mistake."""
    try:
        text = json.dumps(message, ensure_ascii=False, allow_nan=False)
        # Lone surrogates stand for bytes of paths that are not UTF-8: JSON has escapes for those.
        text.encode("utf-8", "surrogateescape")
        return text.encode("utf-8", "backslashreplace")
    except ValueError as exc:
        raise Refused(_INVALID_PARAMS, f"The arguments can't be sent: {exc}.", None) from exc


async def _last_of(response: httpx.Response, on_notification: OnNotification) -> Any:
    """Return the answer at the end of a stream of server-sent events, each a JSON-RPC message."""
    left = _MAX_NOTIFICATIONS
    pieces = _pieces(response)
    async for text in _data(pieces):
        message = await _parsed(text)
        if not isinstance(message, dict) or "method" not in message:
            await _until_end(pieces)
            return message
        left -= 1
        if left < 0:
            raise ValueError("It sends progress notifications without end.")
        await on_notification(message)
    return None


async def _until_end(pieces: AsyncIterator[bytes]) -> None:
    """Read what still comes, unless it takes long: the next call then has this connection."""
    with suppress(TimeoutError, ValueError, httpx.HTTPError):
        async with asyncio.timeout(_END_TIMEOUT):
            async for _ in pieces:
                pass


async def _parsed(text: bytes) -> Any:
    return _read(text) if len(text) < _SMALL else await in_thread(_read, text)


def _read(text: bytes) -> Any:
    return json_values.loads(text, _MAX_TOKENS)


async def _data(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the content of data lines. Each byte is read once, however the body is divided."""
    held = bytearray()
    async for piece in pieces:
        end = piece.rfind(b"\n") + 1
        held += piece[:end]
        if end:
            whole, held = bytes(held), bytearray()
            for found in _DATA.finditer(whole):
                yield found[1]
        held += piece[end:]
    for found in _DATA.finditer(held):
        yield found[1]


async def _pieces(response: httpx.Response) -> AsyncIterator[bytes]:
    """The body as it comes. Raises ValueError for one without end, and for what is compressed."""
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise ValueError("It is compressed, which was not requested.")
    left = MAX_BYTES
    async for piece in response.aiter_raw():
        left -= len(piece)
        if left < 0:
            raise ValueError("It is too long.")
        yield piece
