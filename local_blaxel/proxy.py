"""Carry one request, or one WebSocket, to a server inside a sandbox and back.

Both directions stream at once, whatever their size; nothing is buffered whole.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.types import Message, Receive, Scope, Send
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from local_blaxel.errors import BadGateway, Invalid
from local_blaxel.pool import Pool
from local_blaxel.upstream import Connection, Head, Headers, Malformed, MalformedAnswer

# Status codes end below; the parser takes three digits, and the server that answers no more than
# these.
_NO_STATUS = 600
# Nor does it answer these in the value of a header, which the parser takes.
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
LARGEST_MESSAGE = 64 * 1024 * 1024
# Done twice, they do no more than once.
_REPEATABLE = ("GET", "HEAD", "OPTIONS")
# Seconds after which it is looked if the client of a request without a body is still there.
_WATCH_DELAY = 0.05
_FRAMING = (b"content-length", b"transfer-encoding")
_HOP_BY_HOP = {
    b"connection",
    b"keep-alive",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
    b"expect",
}


@dataclass(frozen=True)
class Outgoing:
    """A request for inside: the target with its query as they came, and headers without ours."""

    target: bytes
    headers: Headers
    # Edits the headers of the answer, such as a preview's own.
    amend: Callable[[Headers], Headers] = field(default=lambda headers: headers)


def _end_to_end(headers: Headers) -> Headers:
    named = {
        token.strip().lower()
        for name, value in headers
        if name.lower() == b"connection"
        for token in value.split(b",")
    }
    dropped = _HOP_BY_HOP | named
    return [(name, value) for name, value in headers if name.lower() not in dropped]


class Exchange:
    """One HTTP request and its answer."""

    def __init__(self, pool: Pool, scope: Scope, receive: Receive, send: Send) -> None:
        self._pool = pool
        self._scope = scope
        self._receive = receive
        self._send = send
        self._connection: Connection
        self._upload: asyncio.Task[None] | None = None
        self._started = False
        self._abandoned = False

    async def run(self, outgoing: Outgoing) -> None:
        """Relay until both sides are done; BadGateway while nothing was answered yet."""
        headers = _with_framing(outgoing.headers)
        has_body = any(name in _FRAMING and value != b"0" for name, value in headers)
        may_repeat = not has_body and self._scope["method"] in _REPEATABLE
        self._connection = await self._pool.take(may_repeat=may_repeat)
        if await self._carry(outgoing, headers, has_body, may_repeat):
            self._connection = await self._pool.take(is_new=True)
            await self._carry(outgoing, headers, has_body, may_repeat=False)

    async def _carry(
        self, outgoing: Outgoing, headers: Headers, has_body: bool, may_repeat: bool
    ) -> bool:
        """Relay over one connection; returns whether to try another, as this one was closed."""
        watch: asyncio.TimerHandle | None = None
        try:
            with suppress(OSError):  # it may have answered all the same
                await self._connection.send_head(self._scope["method"], outgoing.target, headers)
            if has_body:
                self._watch()
            else:
                watch = asyncio.get_running_loop().call_later(_WATCH_DELAY, self._watch)
            await self._download(outgoing)
        except Malformed as exc:
            raise Invalid(f"The request is malformed: {exc}.", code="BAD_REQUEST") from exc
        except OSError as exc:
            if may_repeat and self._connection.was_closed_unanswered and not self._abandoned:
                return True
            if not self._started and not self._abandoned:
                raise BadGateway(f"The server inside broke off: {exc}.") from exc
        finally:
            if watch is not None:
                watch.cancel()
            await self._stop_watching()
            self._pool.give_back(self._connection)
        return False

    def _watch(self) -> None:
        self._upload = asyncio.create_task(self._pass_all_on())

    async def _stop_watching(self) -> None:
        if self._upload is not None:
            self._upload.cancel()
            await asyncio.gather(self._upload, return_exceptions=True)
            self._upload = None

    async def _pass_all_on(self) -> None:
        """Pass the body on while the server inside takes it; after that only read it.

        A client that still sends would not read the answer otherwise.
        """
        is_taken = True
        while (message := await self._receive())["type"] != "http.disconnect":
            is_taken = is_taken and await self._pass_on(message)
        self._abandoned = True
        self._connection.close()

    async def _pass_on(self, message: Message) -> bool:
        """Send a part of the body inside; return whether another one is to follow."""
        has_more = bool(message.get("more_body"))
        try:
            if message.get("body"):
                await self._connection.send_body(message["body"])
            if not has_more:
                await self._connection.end_body()
        except OSError:
            return False  # it has answered without reading all of it
        return has_more

    async def _download(self, outgoing: Outgoing) -> None:
        await self._start(await self._connection.head(), outgoing)
        more = True
        while more:
            body = await self._connection.part()
            more = not self._connection.is_complete
            await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def _start(self, head: Head, outgoing: Outgoing) -> None:
        self._pool.note_answer(self._connection)
        if head.status >= _NO_STATUS:
            raise MalformedAnswer(f"Bad status code: {head.status}")
        if any(_CONTROL.search(value) for _, value in head.headers):
            raise MalformedAnswer("A header holds a control character.")
        names = {name for name, _ in head.headers}
        headers = outgoing.amend(_end_to_end(head.headers))
        # Beside chunks a length does not count (RFC 9112), and may be wrong.
        if head.status in (204, 304) or b"transfer-encoding" in names:
            headers = [pair for pair in headers if pair[0] != b"content-length"]
        self._started = True
        start = {"type": "http.response.start", "status": head.status, "headers": headers}
        await self._send(start)


def _with_framing(given: Headers) -> Headers:
    """Return the headers of a request for inside, with those that say how its body ends."""
    headers = _end_to_end(given)
    if any(name == b"transfer-encoding" for name, _ in given):
        headers = [pair for pair in headers if pair[0] != b"content-length"]
        headers.append((b"transfer-encoding", b"chunked"))
    return headers


async def relay_websocket(
    scope: Scope,
    receive: Receive,
    send: Send,
    outgoing: Outgoing,
    dial: Callable[..., Awaitable[ClientConnection]],
) -> None:
    """Join a WebSocket of a client with one of a server inside.

    `dial` is `websockets.connect` or `unix_connect` with its place filled in.
    """
    await receive()
    host = next((value for name, value in outgoing.headers if name == b"host"), b"localhost")
    skipped = (b"host", b"sec-websocket-")
    headers = [pair for pair in _end_to_end(outgoing.headers) if not pair[0].startswith(skipped)]
    try:
        inside = await dial(
            uri=f"ws://{host.decode('latin-1')}{outgoing.target.decode('latin-1')}",
            additional_headers=[(n.decode("latin-1"), v.decode("latin-1")) for n, v in headers],
            subprotocols=[Subprotocol(name) for name in scope["subprotocols"]] or None,
            compression=None,
            max_size=LARGEST_MESSAGE,
            ping_interval=None,
            user_agent_header=None,
        )
    except InvalidStatus as exc:
        if exc.response.status_code not in set(HTTPStatus):
            # Of these the server that answers knows the names alone.
            raise BadGateway(f"Bad status code: {exc.response.status_code}") from exc
        return await refuse_websocket(send, exc.response.status_code, bytes(exc.response.body))
    except (OSError, WebSocketException) as exc:
        raise BadGateway(f"The server inside did not open a WebSocket: {exc}.") from exc
    async with inside:
        await send({"type": "websocket.accept", "subprotocol": inside.subprotocol})
        await _join(inside, receive, send)


async def refuse_websocket(send: Send, status: int, body: bytes) -> None:
    """Answer an upgrade with an ordinary response."""
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})


async def _join(inside: ClientConnection, receive: Receive, send: Send) -> None:
    outward = asyncio.create_task(_outward(inside, send))
    inward = asyncio.create_task(_inward(inside, receive))
    try:
        await asyncio.wait({outward, inward}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        outward.cancel()
        inward.cancel()
        await asyncio.gather(outward, inward, return_exceptions=True)


async def _outward(inside: ClientConnection, send: Send) -> None:
    try:
        async for data in inside:
            kind = "text" if isinstance(data, str) else "bytes"
            await send({"type": "websocket.send", kind: data})
    except ConnectionClosed:
        pass  # Told to the client below, with the code it was closed with.
    code = inside.close_code or 1011
    # 1005 and 1006 say that no code was sent; they may not be sent themselves.
    code = {1005: 1000, 1006: 1011}.get(code, code)
    await send({"type": "websocket.close", "code": code, "reason": inside.close_reason or ""})


async def _inward(inside: ClientConnection, receive: Receive) -> None:
    while True:
        message: Message = await receive()
        if message["type"] == "websocket.disconnect":
            code = message.get("code") or 1000
            sendable = 1000 <= code < 5000 and code not in (1004, 1005, 1006, 1015)
            await inside.close(code if sendable else 1000, message.get("reason") or "")
            return
        data = message.get("text")
        try:
            await inside.send(message["bytes"] if data is None else data)
        except ConnectionClosed:
            return
