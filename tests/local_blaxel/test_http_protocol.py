"""The heads of requests to local_blaxel have limits of time and size."""

import socket
import threading

import pytest
import uvicorn

from local_blaxel import http_protocol
from local_blaxel.http_protocol import MAX_HEAD_LENGTH, HttpProtocol
from tests.support.waiting import wait_until

ASKED = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
HALVES = [b"", b"GE", b"\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nA: b"]


async def answer(scope, receive, send):
    if scope["path"] != "/early":
        while (await receive()).get("more_body"):
            pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture(scope="module")
def port():
    config = uvicorn.Config(answer, port=0, http=HttpProtocol, lifespan="off", log_level="error")
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    wait_until(lambda: running.started)
    yield running.servers[0].sockets[0].getsockname()[1]
    running.should_exit = True
    thread.join(30)


@pytest.fixture
def line(port, monkeypatch):
    """A connection to a server that waits for heads for a short time only."""
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", 0.3)
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
        yield line


def rest(line):
    """All that is said until the server closes."""
    said = b""
    while piece := line.recv(65536):
        said += piece
    return said


@pytest.mark.parametrize("half", HALVES)
def test_half_a_head_is_not_waited_for(line, half):
    line.sendall(half)

    assert rest(line).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("half", HALVES[1:])
def test_nor_the_half_of_a_later_one(line, half):
    line.sendall(ASKED)
    first = line.recv(100)
    line.sendall(half)

    assert first.startswith(b"HTTP/1.1 204 ")
    assert rest(line).startswith(b"HTTP/1.1 408 ")


def test_nor_one_that_comes_drop_by_drop(line):
    line.sendall(b"GET / HTTP/1.1\r\n")
    is_over = threading.Event()

    def drop():
        while not is_over.wait(0.05):
            try:
                line.sendall(b"A: b\r\n")
            except OSError:
                return

    dropping = threading.Thread(target=drop)
    dropping.start()
    try:
        said = line.recv(100)
    finally:
        is_over.set()
        dropping.join()

    assert said.startswith(b"HTTP/1.1 408 ")


def test_a_body_may_take_longer_than_a_head(line):
    line.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab")
    line.settimeout(0.6)
    with pytest.raises(TimeoutError):
        line.recv(1)
    line.settimeout(60)
    line.sendall(b"cd")

    assert line.recv(100).startswith(b"HTTP/1.1 204 ")


def test_a_body_that_goes_on_after_its_answer_is_no_head(line):
    body = bytes(32 * MAX_HEAD_LENGTH)
    line.sendall(b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body))
    first = line.recv(100)
    line.sendall(body)
    line.sendall(ASKED)

    assert first.startswith(b"HTTP/1.1 204 ")
    assert line.recv(100).startswith(b"HTTP/1.1 204 ")


@pytest.mark.parametrize("head", [b"GET /", b"GET / HTTP/1.1\r\nHost: x.localhost\r\nA: "])
def test_the_server_keeps_no_endless_head(server, head):
    """The real server: the same port has its API, the sandboxes' and the previews."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as line:
        # Not a byte more than is read: the answer would be lost with it.
        line.sendall(head.ljust(MAX_HEAD_LENGTH + 1, b"x"))

        assert rest(line).startswith(b"HTTP/1.1 431 ")
