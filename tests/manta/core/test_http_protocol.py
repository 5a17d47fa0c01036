"""What comes before a request has limits."""

import socket
import threading
import time
from contextlib import contextmanager, suppress

import pytest
import uvicorn

from manta.core import http_protocol
from tests.support.waiting import wait_until

LARGE, PIECE = 64 * 2**20, 2**16
ASKED = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


gone = threading.Event()


async def answer(scope, receive, send):
    if scope["path"] != "/early":
        while (await receive()).get("more_body"):
            pass
    if scope["path"] == "/large":
        await large(receive, send)
        return
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def large(receive, send):
    """More than a connection holds, in pieces; then see the client off."""
    length = (b"content-length", b"%d" % LARGE)
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    for left in range(LARGE - PIECE, -1, -PIECE):
        body = {"type": "http.response.body", "body": bytes(PIECE), "more_body": left > 0}
        await send(body)
    await receive()
    gone.set()


@pytest.fixture(scope="module")
def port():
    config = uvicorn.Config(
        answer,
        port=0,
        http="manta.core.http_protocol:HttpProtocol",
        lifespan="off",
        log_level="error",
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(30)


@pytest.fixture
def soon(monkeypatch):
    monkeypatch.setattr(http_protocol, "HEAD_WITHIN", 0.3)


@contextmanager
def connected(port):
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        yield line


def rest(line):
    """What is said until the server closes."""
    said = b""
    while piece := line.recv(65536):
        said += piece
    return said


@pytest.mark.parametrize("half", [b"", b"GET / HTTP/1.1\r\nHost: x\r\nA: b", b"GE", b"\r\n"])
def test_half_a_head_is_not_waited_for(port, soon, half):
    with connected(port) as line:
        line.sendall(half)

        assert rest(line).startswith(b"HTTP/1.1 408 ")


def test_nor_is_one_that_comes_drop_by_drop(port, soon):
    with connected(port) as line:
        line.sendall(b"GET / HTTP/1.1\r\n")
        over = threading.Event()

        def drop():
            while not over.wait(0.05):
                try:
                    line.sendall(b"A: b\r\n")
                except OSError:
                    return

        dropping = threading.Thread(target=drop)
        dropping.start()
        try:
            said = line.recv(100)
        finally:
            over.set()
            dropping.join()

    assert said.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("after", [b"\r\n", b"GET / HT"])
def test_nor_the_second_on_one_connection(port, soon, after):
    with connected(port) as line:
        line.sendall(ASKED)
        assert line.recv(100).startswith(b"HTTP/1.1 204 ")
        line.sendall(after)

        assert rest(line).startswith(b"HTTP/1.1 408 ")


def test_a_body_may_take_longer_than_a_head(port, soon):
    with connected(port) as line:
        line.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab")
        with pytest.raises(TimeoutError):
            line.settimeout(0.6)
            line.recv(1)
        line.settimeout(30)
        line.sendall(b"cd")

        assert line.recv(100).startswith(b"HTTP/1.1 204 ")


@pytest.mark.parametrize("head", [b"GET /%s HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nA: %s\r\n"])
def test_a_head_has_a_size(port, head):
    with connected(port) as line:
        line.sendall(head % (b"x" * (http_protocol.MAX_HEAD + 1)))

        assert rest(line).startswith(b"HTTP/1.1 431 ")


def test_many_requests_on_one_connection_are_answered(port):
    with connected(port) as line:
        line.sendall(ASKED * 3)
        said = b""
        while said.count(b"HTTP/1.1 204 ") < 3:
            said += line.recv(1000)


def test_an_answer_that_nobody_takes_is_not_kept_for_ever(port, monkeypatch):
    monkeypatch.setattr(http_protocol, "TAKEN_WITHIN", 0.3)
    gone.clear()
    with connected(port) as line:
        line.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")

        assert gone.wait(30)
        with suppress(ConnectionResetError):
            assert len(rest(line)) < LARGE


def test_who_takes_it_slowly_gets_all_of_it(port, monkeypatch):
    monkeypatch.setattr(http_protocol, "TAKEN_WITHIN", 1.0)
    with connected(port) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
        line.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        taken, began = 0, time.monotonic()
        while piece := line.recv(2**20):
            taken += len(piece)
            if time.monotonic() - began < 1.5:
                time.sleep(0.01)

    assert taken > LARGE


def test_a_body_that_goes_on_after_its_answer_is_no_head(port):
    body = bytes(32 * http_protocol.MAX_HEAD)
    with connected(port) as line:
        line.sendall(b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body))
        first = line.recv(100)
        line.sendall(body)
        line.sendall(ASKED)
        second = line.recv(100)

    assert first.startswith(b"HTTP/1.1 204 ")
    assert second.startswith(b"HTTP/1.1 204 ")
