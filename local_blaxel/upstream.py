"""Connections to what runs inside a sandbox, and the few kept open to its agent."""

import asyncio
import socket
import time
from collections.abc import Callable

import h11

# Some development servers send very long headers (source maps, cookies of several frameworks).
MAX_HEAD_LENGTH = 256 * 1024
CHUNK = 256 * 1024
# A body as long as this, or longer, goes around h11, which copies every byte three times.
LONG = 1024 * 1024
KEPT = 8
# Less than the 5 s after which the agent's server closes an idle connection.
KEPT_FOR = 3.0


class _Reader(asyncio.StreamReader):
    def set_exception(self, exc: BaseException) -> None:
        """End after what came before a reset; StreamReader would give up what is not read yet."""
        self.feed_eof()


class Connection:
    """One HTTP/1.1 connection; its two directions may be driven by two tasks.

    They have a descriptor each. A server that answers early and closes makes the next write fail,
    and asyncio closes a transport whose write fails, with the answer that it has yet to read.
    """

    def __init__(self, reader: asyncio.StreamReader, transport: asyncio.Transport) -> None:
        self._reader = reader
        self._transport = transport
        self._out: socket.socket = transport.get_extra_info("socket").dup()
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_LENGTH)
        self._method = b""
        # Of a long body: what came with the head, and how much there is still to come.
        self._early = b""
        self._rest: int | None = None

    @classmethod
    async def over(cls, sock: socket.socket) -> "Connection":
        reader, loop = _Reader(limit=CHUNK), asyncio.get_running_loop()
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await loop.create_connection(lambda: protocol, sock=sock)
        return cls(reader, transport)

    @classmethod
    async def to_unix(cls, path: str) -> "Connection":
        reader, loop = _Reader(limit=CHUNK), asyncio.get_running_loop()
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await loop.create_unix_connection(lambda: protocol, path)
        return cls(reader, transport)

    async def send(self, event: h11.Event) -> None:
        if isinstance(event, h11.Request):
            self._method = event.method
        data = self._http.send(event)
        if data:
            await asyncio.get_running_loop().sock_sendall(self._out, data)

    async def receive(self) -> h11.Event:
        """The next part of the answer; h11.ConnectionClosed when the peer has gone."""
        if self._rest is not None:
            return await self._receive_long_body(self._rest)
        while True:
            event = self._http.next_event()
            if isinstance(event, h11.Response) and (length := self._long_body(event)):
                self._early, self._rest = self._http.trailing_data[0][:length], length
            if isinstance(event, h11.Event):
                return event
            if event is h11.PAUSED:
                return h11.ConnectionClosed()
            self._http.receive_data(await self._reader.read(CHUNK))

    def _long_body(self, response: h11.Response) -> int | None:
        """Return the length of the response's body, if it is known and long."""
        headers = dict(response.headers)
        if self._method == b"HEAD" or b"transfer-encoding" in headers:
            return None
        length = int(headers.get(b"content-length", b"0"))
        return length if length >= LONG and response.status_code not in (204, 304) else None

    async def _receive_long_body(self, rest: int) -> h11.Event:
        if rest == 0:
            return h11.EndOfMessage()
        data, self._early = self._early or await self._reader.read(min(rest, CHUNK)), b""
        self._rest = rest - len(data)
        return h11.Data(data=data) if data else h11.ConnectionClosed()

    def renew(self) -> bool:
        """Make ready for another request; False when this connection can't carry one.

        h11 has not seen a long body end, and says so.
        """
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return not self._http.trailing_data[0] and self.is_open()

    def is_open(self) -> bool:
        return not self._reader.at_eof() and not self._transport.is_closing()

    def close(self) -> None:
        """End both directions, while nothing is being sent."""
        self._transport.abort()
        self._out.close()


class Pool:
    """Idle connections to one unix socket. The path is asked for at each new connection."""

    def __init__(self, path: Callable[[], str]) -> None:
        self._path = path
        self._idle: list[tuple[float, Connection]] = []

    async def take(self) -> Connection:
        self.prune()
        if self._idle:
            return self._idle.pop()[1]
        return await Connection.to_unix(self._path())

    def give_back(self, connection: Connection) -> None:
        if len(self._idle) < KEPT and connection.renew():
            self._idle.append((time.monotonic(), connection))
        else:
            connection.close()

    def prune(self) -> None:
        """Close what has been idle for too long, or was closed by the other side."""
        oldest = time.monotonic() - KEPT_FOR
        fresh = [(since, c) for since, c in self._idle if since > oldest and c.is_open()]
        for since, connection in self._idle:
            if (since, connection) not in fresh:
                connection.close()
        self._idle = fresh

    def close(self) -> None:
        for _, connection in self._idle:
            connection.close()
        self._idle = []
