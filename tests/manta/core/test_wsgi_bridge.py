"""Django behind the bridge, on a real server with few threads."""

import json
import os
import socket
import threading
import time
from pathlib import Path

import httpx
import pytest
import uvicorn

from manta.core.wsgi_bridge import MAX_BODY, WSGIBridge

THREADS = 2
LARGE = 8 * 2**20


released = threading.Event()
answered = threading.Semaphore(0)


def app(environ, start_response):
    body = environ["wsgi.input"].read()
    path = environ["PATH_INFO"]
    if path.startswith("/inside/"):
        released.wait(30)
    content = b"x" * LARGE if path == "/large" else f"{len(body)}".encode()
    if path == "/forwarded":
        content = environ.get("HTTP_X_FORWARDED_FOR", "nobody").encode()
    if path.startswith("/environ"):
        texts = {name: value for name, value in environ.items() if isinstance(value, str)}
        content = json.dumps(texts).encode()
    start_response("200 OK", [("Content-Length", str(len(content)))])
    try:
        yield content
    finally:
        answered.release()


@pytest.fixture(scope="module")
def address():
    config = uvicorn.Config(
        WSGIBridge(app, threads=THREADS, slow_prefixes=("/inside/",)), port=0, log_level="warning"
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
        connection = socket.socket()
        # So that the system takes little of an answer that is not read.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(address)
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


def test_the_environment_says_all_of_the_request(address, send):
    head = b"PUT /environ%C3%A9%ff?q=%20 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
    head += b"X-Shared: one\r\nX-Shared: two\r\n"
    head += b"Content-Type: text/plain\r\nConnection: close\r\n\r\nok"
    connection = send(head)
    connection.settimeout(30)

    answer = b"".join(iter(lambda: connection.recv(4096), b""))
    said = json.loads(answer.partition(b"\r\n\r\n")[2])

    assert said.pop("REMOTE_PORT") == str(connection.getsockname()[1])
    assert said == {
        "REQUEST_METHOD": "PUT",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/environ\xc3\xa9\xef\xbf\xbd",
        "QUERY_STRING": "q=%20",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": address[0],
        "SERVER_PORT": str(address[1]),
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "CONTENT_LENGTH": "2",
        "CONTENT_TYPE": "text/plain",
        "HTTP_HOST": "x",
        "HTTP_CONNECTION": "close",
        "HTTP_X_SHARED": "one,two",
    }


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
    monkeypatch.setattr("manta.core.wsgi_bridge.BODY_TIMEOUT", 0.2)

    connection = send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")

    connection.settimeout(5)
    assert b" 408 " in connection.recv(100)


def test_a_header_with_an_underscore_is_dropped(send):
    connection = send(b"GET /forwarded HTTP/1.1\r\nHost: x\r\nX_Forwarded_For: 6.6.6.6\r\n\r\n")

    connection.settimeout(5)
    assert connection.recv(1000).endswith(b"nobody")


@pytest.mark.parametrize("kind", ["text/plain; charset*=nope''x", "text/plain; charset*=idna''x"])
def test_a_content_type_that_cannot_be_read_is_told(url, kind):
    page = httpx.get(f"{url}/", headers={"Content-Type": kind})
    told = httpx.get(f"{url}/api/sandbox", headers={"Content-Type": kind})

    assert (page.status_code, told.status_code, told.json()["code"]) == (400, 400, "invalid")
    assert "Content-Type" in page.text and "Content-Type" in told.json()["error"]


def test_no_address_contains_a_nul(url):
    told = httpx.get(f"{url}/api/sandbox/terminals/%00")

    assert (told.status_code, told.json()["code"]) == (404, "not_found")


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def unread(send, number):
    """Ask for as many large answers and take the beginning of each."""
    while answered.acquire(blocking=False):
        pass
    asking = [send(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(number)]
    for _ in asking:
        assert answered.acquire(timeout=30)
    return [each.recv(20) for each in asking]


def test_answers_that_nobody_takes_are_not_kept_in_memory(send):
    before = resident()

    assert {first[:12] for first in unread(send, 20)} == {b"HTTP/1.1 200"}

    assert resident() - before < 20 * LARGE / 2


def test_what_waits_for_readers_has_a_limit(url, send, monkeypatch):
    monkeypatch.setattr("manta.core.wsgi_bridge.MAX_HELD", 3 * LARGE + LARGE // 2)

    statuses = sorted(first[9:12] for first in unread(send, 6))
    monkeypatch.setattr("manta.core.wsgi_bridge.MAX_HELD", LARGE // 2)
    small = httpx.post(url, content=b"x" * 1000)
    large = httpx.post(f"{url}/api/x", content=b"x" * LARGE)

    assert statuses.count(b"503") >= 3
    assert small.text == "1000"
    assert (large.status_code, large.json()["code"]) == (503, "busy")


def test_a_large_answer_arrives_whole(url):
    assert httpx.get(f"{url}/large").content == b"x" * LARGE
