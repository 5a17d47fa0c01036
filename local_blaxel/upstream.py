"""One HTTP/1.1 connection to what runs inside a sandbox: requests in, and their answers."""

import asyncio
import re
import socket
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple, cast

import httptools

Headers = list[tuple[bytes, bytes]]

# Some development servers send very long headers (source maps, cookies of several frameworks).
MAX_HEAD_LENGTH = 256 * 1024
# Bytes of an answer that wait for whoever asked; the server inside is not read meanwhile.
MAX_HELD = 256 * 1024
# A body as long as this, or longer, goes around the parser, which copies every byte.
LONG = 256 * 1024
_TARGET = re.compile(rb"[\x21-\x7e]+")
_NAME = re.compile(rb"[-!#$%&'*+.^_`|~0-9a-zA-Z]+")
_VALUE = re.compile(rb"[^\x00-\x08\x0a-\x1f\x7f]*")
_WITHOUT_BODY = (204, 304)
# Linux has it alone.
_QUICKACK = getattr(socket, "TCP_QUICKACK", 0)


class Malformed(ValueError):
    """Raised for a request that HTTP can't say."""


class MalformedAnswer(ConnectionError):
    """Raised for an answer that is not HTTP."""


class Head(NamedTuple):
    """The beginning of an answer; the names of its headers are in lower case."""

    status: int
    headers: Headers


def encoded(method: str, target: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The head of a request. Raises Malformed."""
    if not _TARGET.fullmatch(target):
        raise Malformed("its address has characters that are not allowed there")
    lines = [method.encode() + b" " + target + b" HTTP/1.1"]
    for name, value in headers:
        if not (_NAME.fullmatch(name) and _VALUE.fullmatch(value)):
            raise Malformed(f"the header {name.decode('latin-1')!r} is not allowed")
        lines.append(name + b": " + value)
    return b"\r\n".join([*lines, b"", b""])


class Connection(asyncio.Protocol):
    """Its two directions may be driven by two tasks, and have a descriptor each.

    A server that answers early and closes makes the next write fail, and asyncio closes a transport
    whose write fails, with the answer that it has yet to read.
    """

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._waiter: asyncio.Future[None] | None = None
        self._has_ended = False
        self.is_used_again = False
        self._await_answer("")

    @classmethod
    async def over(cls, sock: socket.socket) -> "Connection":
        _, made = await asyncio.get_running_loop().create_connection(cls, sock=sock)
        return made

    @classmethod
    async def to_unix(cls, path: str) -> "Connection":
        _, made = await asyncio.get_running_loop().create_unix_connection(cls, path)
        return made

    def _await_answer(self, method: str) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(
            lenient_headers=True, lenient_chunked_length=True, lenient_optional_cr_before_lf=True
        )
        self._is_head = method == "HEAD"
        self._is_sent = self._is_chunked = self._has_body = False
        self._headers: Headers = []
        self._head: Head | None = None
        self._head_size = 0
        # Bytes since the last of the body: the length of a chunk, or trailers, which are kept.
        self._beyond = 0
        self._parts: deque[bytes] = deque()
        self._held = 0
        # Of a body of known length: what is still to come.
        self._left: int | None = None
        self._ends_with_connection = self._is_kept = self._is_paused = False
        self._is_whole = self._is_over_long = False
        self._failure = ""

    # What is sent

    async def send_head(
        self, method: str, target: bytes, headers: Iterable[tuple[bytes, bytes]]
    ) -> None:
        """Send a request's head; its headers say if a body follows. Raises Malformed, OSError."""
        pairs = list(headers)
        head = encoded(method, target, pairs)
        self._await_answer(method)
        for name, value in pairs:
            self._is_chunked = self._is_chunked or name == b"transfer-encoding"
            self._has_body = self._has_body or (name == b"content-length" and value != b"0")
        self._has_body = self._has_body or self._is_chunked
        self._is_sent = not self._has_body
        await self._write(head)

    async def send_body(self, data: bytes) -> None:
        """Send a part of the body. Raises OSError."""
        if not self._has_body:
            raise ConnectionError("the head of the request told of no body")
        if self._is_chunked:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        await self._write(data)

    async def end_body(self) -> None:
        if self._is_chunked:
            await self._write(b"0\r\n\r\n")
        self._is_sent = True

    async def _write(self, data: bytes) -> None:
        try:
            sent = self._out.send(data)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            rest = memoryview(data)[sent:]
            await asyncio.get_running_loop().sock_sendall(self._out, rest)

    # What is received

    async def head(self) -> Head:
        """The head of the answer. Raises ConnectionError."""
        while self._head is None:
            await self._more()
        return self._head

    async def part(self) -> bytes:
        """The next part of the body; b"" at its end. Raises ConnectionError where it breaks off."""
        while not self._parts:
            if self._is_whole:
                return b""
            await self._more()
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        self._held = 0
        if self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()
        return data

    @property
    def was_closed_unanswered(self) -> bool:
        """Return whether it was kept from another request, and closed when this one came."""
        return self.is_used_again and self._has_ended and self._head_size == 0

    @property
    def is_complete(self) -> bool:
        """Return whether all of the answer was taken."""
        return self._is_whole and not self._parts

    async def _more(self) -> None:
        if self._failure:
            raise MalformedAnswer(self._failure)
        if self._has_ended:
            raise ConnectionResetError("it closed the connection")
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # The connection itself

    def is_open(self) -> bool:
        return not self._has_ended and not self._transport.is_closing()

    def can_be_used_again(self) -> bool:
        """Return whether a request and its answer are through, and another may follow."""
        is_through = self._is_sent and self.is_complete and self._is_kept
        return is_through and not self._is_over_long and not self._failure and self.is_open()

    def close(self) -> None:
        """End both directions, while nothing is being sent."""
        self._transport.abort()
        self._out.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._out: socket.socket = transport.get_extra_info("socket").dup()
        self._out.setblocking(False)
        self._is_tcp = self._out.family != socket.AF_UNIX and bool(_QUICKACK)

    def eof_received(self) -> bool:
        self._end()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        # A reset ends what came before it, too, and takes none of it back.
        self._end()

    def _end(self) -> None:
        self._has_ended = True
        if self._head is not None and self._ends_with_connection:
            self._is_whole = True
        self._wake()

    def data_received(self, data: bytes) -> None:
        if self._left and self._head is not None:
            self._take(data)
        else:
            self._parse(data)
        if self._held > MAX_HELD and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
        if self._is_tcp and not self._is_whole and len(data) < MAX_HELD:
            # Nagle's algorithm keeps the next part inside until this one is acknowledged, which on
            # a connection that has been used before takes the kernel 40 ms.
            self._out.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        self._wake()

    def _parse(self, data: bytes) -> None:
        if self._is_whole or self._failure:
            # The parser would keep what comes, for as long as nobody takes what came before.
            self._is_over_long = True
            return
        is_in_head, held = self._head is None, self._held
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as exc:
            if self._is_whole:
                self._is_over_long = True
            else:
                self._failure = str(exc) or "it is not HTTP"
        if is_in_head:
            self._head_size += len(data)
            if self._head is None and self._head_size > MAX_HEAD_LENGTH:
                self._failure = "its headers are too long"
        elif not self._is_whole:
            self._beyond = self._beyond + len(data) if self._held == held else 0
            if self._beyond > MAX_HEAD_LENGTH:
                self._failure = "its trailers are too long"

    def _take(self, data: bytes) -> None:
        """Take a part of a body of known length."""
        left = self._left or 0
        if len(data) > left:
            self._is_over_long = True
            data = data[:left]
        self._left = left - len(data)
        self._hold(data)
        self._is_whole = self._left == 0

    def _hold(self, data: bytes) -> None:
        self._parts.append(data)
        self._held += len(data)

    # What the parser calls

    def on_message_begin(self) -> None:
        self._is_over_long = self._is_over_long or self._is_whole

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._head is None:
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if self._head is not None:
            return
        if status == 101:
            self._failure = "it changed the protocol, which nobody asked for"
        if status < 200:
            self._headers = []
            return
        self._head = Head(status, self._headers)
        self._is_kept = self._parser.should_keep_alive()
        framing = dict(self._headers)
        coding = framing.get(b"transfer-encoding")
        length = framing.get(b"content-length")
        if self._is_head or status in _WITHOUT_BODY:
            self._is_whole = True
        elif coding is not None:
            # Chunks alone tell their end, and only where they are the last coding.
            last = coding.rpartition(b",")[2].strip().lower()
            self._ends_with_connection = last != b"chunked"
        elif length is None:
            self._ends_with_connection = True
        elif length.isdigit() and int(length) >= LONG:
            self._left = int(length)

    def on_body(self, body: bytes) -> None:
        if self._is_whole:
            self._is_over_long = True
        elif self._left is not None:
            self._take(body)
        else:
            self._hold(body)

    def on_message_complete(self) -> None:
        self._is_whole = self._is_whole or self._head is not None
