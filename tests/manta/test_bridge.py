"""Django behind the bridge, on a real server with few threads."""

import socket
import threading
import time

import httpx
import pytest
import uvicorn

from manta.bridge import MAX_BODY, WSGIBridge

THREADS = 2
LARGE = 8 * 2**20


released = threading.Event()


def app(environ, start_response):
    body = environ["wsgi.input"].read()
    path = environ["PATH_INFO"]
    if path.startswith("/inside/"):
        released.wait(30)
    content = b"x" * LARGE if path == "/large" else f"{len(body)}".encode()
    if path == "/forwarded":
        content = environ.get("HTTP_X_FORWARDED_FOR", "nobody").encode()
    start_response("200 OK", [("Content-Length", str(len(content)))])
    return [content]


@pytest.fixture(scope="module")
def address():
    config = uvicorn.Config(
        WSGIBridge(app, threads=THREADS, inside=("/inside/",)), port=0, log_level="warning"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()
    server.should_exit = server.force_exit = True
    thread.join()


@pytest.fixture
def url(address):
    return f"http://{address[0]}:{address[1]}"


@pytest.fixture
def send(address):
    """Send raw bytes on a connection that is closed after the test."""
    sockets = []

    def send(data):
        connection = socket.create_connection(address)
        connection.sendall(data)
        sockets.append(connection)
        return connection

    yield send
    for connection in sockets:
        connection.close()


def test_a_request_and_its_answer_pass(url):
    assert httpx.post(url, content=b"12345").text == "5"
    assert httpx.post(url, content=iter([b"123", b"45"])).text == "5"


def test_a_body_of_several_chunks_arrives_whole(url):
    assert httpx.post(url, content=b"x" * (3 * 2**20 + 1)).text == str(3 * 2**20 + 1)


def test_half_sent_posts_take_no_thread(url, send):
    for _ in range(THREADS * 8):
        send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")

    assert httpx.get(url, timeout=5).status_code == 200


def test_slow_readers_take_no_thread(url, send):
    for _ in range(THREADS * 8):
        send(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")

    assert httpx.get(url, timeout=20).status_code == 200


def test_sandboxes_that_hang_take_no_thread_of_others(url, send):
    for _ in range(THREADS * 8):
        send(b"GET /inside/files HTTP/1.1\r\nHost: x\r\n\r\n")

    try:
        assert httpx.get(url, timeout=5).status_code == 200
    finally:
        released.set()


def test_a_body_that_is_too_large_is_refused(url):
    response = httpx.post(url, content=b"x" * (MAX_BODY + 1))

    assert response.status_code == 413
    assert str(MAX_BODY) in response.text


def test_the_api_says_in_json_that_a_body_is_too_large(url):
    response = httpx.put(f"{url}/api/sandbox/files", content=b"x" * (2 * MAX_BODY))

    assert (response.status_code, response.json()["code"]) == (413, "too_large")
    assert response.json()["help"].endswith("/help/errors/#too_large")


def test_a_body_that_takes_too_long_is_refused(send, monkeypatch):
    monkeypatch.setattr("manta.bridge.BODY_TIMEOUT", 0.2)

    connection = send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")

    connection.settimeout(5)
    assert b" 408 " in connection.recv(100)


def test_a_header_with_an_underscore_is_dropped(send):
    connection = send(b"GET /forwarded HTTP/1.1\r\nHost: x\r\nX_Forwarded_For: 6.6.6.6\r\n\r\n")

    connection.settimeout(5)
    assert connection.recv(1000).endswith(b"nobody")
