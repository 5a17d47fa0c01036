"""Connections to a server inside that are kept for the next request, and when they are not."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from local_blaxel import upstream
from local_blaxel.errors import BadGateway, Invalid
from local_blaxel.pool import Pool
from local_blaxel.proxy import Exchange, Outgoing
from local_blaxel.upstream import LONG, MAX_HEAD_LENGTH, Connection, MalformedAnswer

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Headers = tuple[tuple[bytes, bytes], ...]
HOST = [(b"host", b"x")]


class Inside:
    """A server; `answers` are what its connections say to one request after the other."""

    def __init__(self, *answers: bytes, one_at_a_time: bool = False) -> None:
        self.connections = 0
        self.asked: list[bytes] = []
        self._answers = answers
        self._turn = asyncio.Semaphore(1 if one_at_a_time else 100)
        self._serving: set[asyncio.Task[None] | None] = set()
        self.pool: Pool
        self.port = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving.add(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError, OSError):
            async with self._turn:
                self.connections += 1
                for answer in self._answers:
                    self.asked.append(await reader.readuntil(b"\r\n\r\n"))
                    writer.write(answer)
                    await writer.drain()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    async def dial(self) -> Connection:
        sock = socket.create_connection(("127.0.0.1", self.port))
        sock.setblocking(False)
        return await Connection.over(sock)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Inside"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self.pool = Pool(self.dial, 60.0)
        try:
            yield self
        finally:
            self.pool.close()
            server.close()
            await asyncio.gather(*filter(None, self._serving))

    async def ask(
        self, method: str = "GET", headers: tuple[tuple[bytes, bytes], ...] = ()
    ) -> bytes:
        return await ask(self.pool, method, headers)


async def ask(pool: Pool, method: str, headers: Headers) -> bytes:
    said: list[dict[str, object]] = []
    bodies = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, object]:
        if bodies:
            return bodies.pop()
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: dict[str, object]) -> None:
        said.append(message)

    exchange = Exchange(pool, {"type": "http", "method": method}, receive, send)
    await asyncio.wait_for(exchange.run(Outgoing(b"/", [*HOST, *headers])), 30)
    assert said[-1]["more_body"] is False
    return b"".join(message.get("body", b"") for message in said)


async def test_what_may_be_asked_again_goes_over_one_connection():
    async with Inside(*[OK] * 9).running() as inside:
        answers = [await inside.ask() for _ in range(5)]

        assert answers == [b"ok"] * 5
        assert inside.connections == 1


async def test_what_may_not_be_done_twice_has_a_connection_of_its_own():
    async with Inside(*[OK] * 9).running() as inside:
        for _ in range(3):
            await inside.ask("POST", ((b"content-length", b"0"),))

        assert inside.connections == 3


async def test_a_kept_connection_that_was_closed_is_replaced():
    async with Inside(OK).running() as inside:
        assert [await inside.ask() for _ in range(3)] == [b"ok"] * 3
        assert len(inside.asked) == 3


async def test_a_server_that_breaks_off_is_asked_once():
    async with Inside(b"").running() as inside:
        with pytest.raises(BadGateway):
            await inside.ask()

        assert len(inside.asked) == 1


async def test_an_answer_that_began_is_not_asked_for_again():
    async with Inside(OK, b"HTTP/1.1 200 OK\r\nContent-").running() as inside:
        await inside.ask()
        with pytest.raises(BadGateway):
            await inside.ask()

        assert inside.connections == 1


async def test_a_server_of_one_connection_at_a_time_answers_all():
    async with Inside(*[OK] * 99, one_at_a_time=True).running() as inside:
        answers = await asyncio.gather(*(inside.ask() for _ in range(6)))
        answers += [await inside.ask("POST"), await inside.ask(), await inside.ask("POST")]

        assert answers == [b"ok"] * 9


async def test_of_a_server_that_answers_several_as_many_are_kept():
    async with Inside(*[OK] * 99).running() as inside:
        for _ in range(4):
            await asyncio.gather(*(inside.ask() for _ in range(6)))

        assert inside.connections < 24


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.0 200 OK\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\nok",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
        OK + b"and more than it said",
    ],
)
async def test_every_way_to_end_a_body_is_understood(answer):
    async with Inside(answer).running() as inside:
        assert [await inside.ask(), await inside.ask()] == [b"ok", b"ok"]


async def test_a_head_has_no_body_whatever_its_length_says():
    async with Inside(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", OK).running() as inside:
        assert [await inside.ask("HEAD"), await inside.ask()] == [b"", b"ok"]


@pytest.mark.parametrize("size", [LONG - 1, LONG, 3 * LONG + 1])
async def test_a_long_body_is_whole_and_its_connection_kept(size):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size
    async with Inside(head + b"x" * size, OK).running() as inside:
        assert await inside.ask() == b"x" * size
        assert await inside.ask() == b"ok"
        assert inside.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"nothing of HTTP\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 2**19,
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    ],
)
async def test_what_is_no_answer_is_a_bad_gateway(answer):
    async with Inside(answer).running() as inside:
        with pytest.raises(BadGateway):
            await inside.ask()


async def test_a_header_that_would_be_two_is_refused():
    async with Inside(OK).running() as inside:
        with pytest.raises(Invalid):
            await inside.ask("GET", ((b"x", b"a\r\ny: b"),))

        assert inside.asked == []


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


async def whole_body(connection: Connection) -> bytes:
    await connection.send_head("GET", b"/", HOST)
    await connection.head()
    parts = []
    while part := await connection.part():
        parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize("end", [b"0\r\nX: ", b"1;"])
async def test_trailers_have_a_limit(end):
    answer = CHUNKED + b"2\r\nok\r\n" + end + b"a" * 4 * MAX_HEAD_LENGTH
    async with Inside(answer).running() as inside:
        connection = await inside.dial()
        with pytest.raises(MalformedAnswer, match="trailers are too long"):
            await asyncio.wait_for(whole_body(connection), 90)
        connection.close()


async def test_an_answer_of_many_small_chunks_is_as_long_as_it_likes(monkeypatch):
    monkeypatch.setattr(upstream, "MAX_HEAD_LENGTH", len(CHUNKED))
    async with Inside(CHUNKED).running() as inside:
        connection = await inside.dial()
        await connection.send_head("GET", b"/", HOST)
        await connection.head()
        for _ in range(100):
            for piece in (b"1\r\n", b"x", b"\r\n"):
                connection.data_received(piece)
        connection.data_received(b"0\r\nX: y\r\n\r\n")

        assert await connection.part() == b"x" * 100
        assert connection.is_complete
        connection.close()
