"""One connection of a program inside: what it asks of the proxy, then bytes both ways."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import h11

from local_blaxel.egress.policy import Refusal

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

MAX_HEAD_LENGTH = 64 * 2**10
CHUNK = 2**16
HEAD_SECONDS = 30.0
# As long as Blaxel keeps an idle connection; a frozen sandbox's is idle, too.
IDLE_SECONDS = 15 * 60.0

TUNNEL_IS_OPEN = b"HTTP/1.1 200 Connection established\r\n\r\n"
_OURS = {b"host", b"connection", b"keep-alive", b"proxy-connection", b"proxy-authorization"}
_REASONS = {400: "Bad Request", 403: "Forbidden", 502: "Bad Gateway"}
_REASONS |= {503: "Service Unavailable", 504: "Gateway Timeout"}


@dataclass(frozen=True)
class Demand:
    """The target of a connection, and what is sent there first."""

    host: str
    port: int
    head: bytes

    @property
    def is_tunnel(self) -> bool:
        return not self.head

    @classmethod
    def parse(cls, head: bytes) -> "Demand":
        request = _request(head)
        is_tunnel = request.method == b"CONNECT"
        target = request.target.decode("ascii")
        try:
            url = urlsplit(f"//{target}" if is_tunnel else target)
            host, port = url.hostname, url.port
        except ValueError as exc:
            raise Refusal(400, f"The address is malformed: {exc}.") from exc
        if not host or (port is None if is_tunnel else url.scheme != "http"):
            raise Refusal(400, "This is a proxy: ask it for an http:// URL, or to CONNECT.")
        if is_tunnel:
            return cls(host, port or 0, b"")
        return cls(host, port or 80, _forwarded(request, url))


def _request(head: bytes) -> h11.Request:
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD_LENGTH)
    try:
        connection.receive_data(head)
        request = connection.next_event()
    except h11.RemoteProtocolError as exc:
        raise Refusal(400, f"The request is malformed: {exc}.") from exc
    if not isinstance(request, h11.Request):
        raise Refusal(400, "The request is malformed.")
    return request


def _forwarded(request: h11.Request, url: SplitResult) -> bytes:
    """The request as its server wants it. One a connection: the next may be for another host."""
    path = url._replace(scheme="", netloc="", fragment="").geturl() or "/"
    path = path if path.startswith("/") else f"/{path}"
    lines = [b"%s %s HTTP/%s" % (request.method, path.encode(), request.http_version)]
    lines.append(b"Host: " + url.netloc.rpartition("@")[2].encode())
    lines += [
        b"%s: %s" % pair for pair in request.headers.raw_items() if pair[0].lower() not in _OURS
    ]
    return b"\r\n".join([*lines, b"Connection: close", b"", b""])


async def serve(inside: Streams, dial: Callable[[Demand], Awaitable[Streams]]) -> None:
    """Read what is asked, connect, and carry bytes until both sides have ended.

    `dial` raises Refusal.
    """
    reader, writer = inside
    try:
        demand = await _read(reader)
        outside = await dial(demand)
    except Refusal as refusal:
        return await refuse(writer, refusal)
    try:
        if demand.is_tunnel:
            _writable(writer).write(TUNNEL_IS_OPEN)
        else:
            _writable(outside[1]).write(demand.head)
        await _join(inside, outside)
    finally:
        outside[1].transport.abort()


async def _read(reader: asyncio.StreamReader) -> Demand:
    try:
        async with asyncio.timeout(HEAD_SECONDS):
            return Demand.parse(await reader.readuntil(b"\r\n\r\n"))
    except (TimeoutError, asyncio.IncompleteReadError):
        raise Refusal(400, "The request never ended.") from None
    except asyncio.LimitOverrunError:
        raise Refusal(400, "The request's head is too long.") from None


async def refuse(writer: asyncio.StreamWriter, refusal: Refusal) -> None:
    body = f"local_blaxel: {refusal.message}\n".encode("utf-8", "replace")
    head = (
        f"HTTP/1.1 {refusal.status} {_REASONS[refusal.status]}\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    _writable(writer).write(head.encode() + body)
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def _join(inside: Streams, outside: Streams) -> None:
    """Carry bytes both ways; a long silence, or an error of either side, ends both."""
    try:
        async with asyncio.timeout(IDLE_SECONDS) as silence, asyncio.TaskGroup() as group:
            group.create_task(_copy(inside[0], outside[1], silence))
            group.create_task(_copy(outside[0], inside[1], silence))
    except* OSError:
        pass  # TimeoutError among them: the caller closes what is left.


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, silence: asyncio.Timeout
) -> None:
    while data := await reader.read(CHUNK):
        silence.reschedule(asyncio.get_running_loop().time() + IDLE_SECONDS)
        _writable(writer).write(data)
        await writer.drain()
    _writable(writer).write_eof()


def _writable(writer: asyncio.StreamWriter) -> asyncio.StreamWriter:
    """Return the writer. Raises ConnectionResetError where its other end has gone: uvloop would
    raise a RuntimeError at the next write.
    """
    if writer.transport.is_closing():
        raise ConnectionResetError("The other end has gone away.")
    return writer
