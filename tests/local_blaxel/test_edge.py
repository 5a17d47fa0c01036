import asyncio
import json
import time

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.local_blaxel.running import KEY, until

ECHO = """
import http.server, json, sys

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        length = int(self.headers.get("Content-Length") or 0)
        heard = {"method": self.command, "path": self.path}
        heard["body"] = self.rfile.read(length).decode()
        heard["headers"] = [[name.lower(), value] for name, value in self.headers.items()]
        said = json.dumps(heard).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.send_header("Set-Cookie", "app=1; Domain=localhost; Path=/")
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else said)

    do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_PATCH = do_GET

    def log_message(self, *args):
        pass

http.server.ThreadingHTTPServer(("0.0.0.0", int(sys.argv[1])), Handler).serve_forever()
"""

# Sends back what it hears while it hears it, in chunks.
MIRROR = """
import socketserver, sys

class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n")
        while size := int(self.rfile.readline(), 16):
            data = self.rfile.read(size)
            self.rfile.readline()
            self.wfile.write(b"%x\\r\\n%s\\r\\n" % (size, data))
        self.wfile.write(b"0\\r\\n\\r\\n")

socketserver.ThreadingTCPServer(("0.0.0.0", int(sys.argv[1])), Handler).serve_forever()
"""

# A WebSocket server by hand: the base image has no library for it. Echoes texts up to 125 bytes.
WEBSOCKET = """
import base64, hashlib, socketserver, sys

class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        headers = {}
        self.rfile.readline()
        while line := self.rfile.readline().strip():
            name, _, value = line.decode().partition(": ")
            headers[name.lower()] = value
        if "sec-websocket-key" not in headers:
            self.wfile.write(b"HTTP/1.1 426 Upgrade Required\\r\\nContent-Length: 0\\r\\n\\r\\n")
            return
        salted = headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(salted.encode()).digest()).decode()
        self.wfile.write((
            "HTTP/1.1 101 Switching Protocols\\r\\n"
            "Upgrade: websocket\\r\\nConnection: Upgrade\\r\\n"
            f"Sec-WebSocket-Accept: {accept}\\r\\nSec-WebSocket-Protocol: chat\\r\\n\\r\\n"
        ).encode())
        self.say(headers.get("cookie", "no cookie").encode())
        while True:
            opcode, length = self.rfile.read(2)
            mask = self.rfile.read(4)
            data = bytes(b ^ mask[i % 4] for i, b in enumerate(self.rfile.read(length & 127)))
            if data == b"bye":
                self.wfile.write(b"\\x88\\x05" + (4001).to_bytes(2, "big") + b"end")
                return
            self.say(data)

    def say(self, data):
        self.wfile.write(bytes([0x81, len(data)]) + data)

socketserver.ThreadingTCPServer(("0.0.0.0", int(sys.argv[1])), Handler).serve_forever()
"""

# Promises more than it says.
BROKEN_OFF = """
import socketserver, sys

class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 3000000\\r\\n\\r\\n")
        self.wfile.write(bytes(2000000))

socketserver.ThreadingTCPServer(("0.0.0.0", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture(scope="module")
def busy(server):
    """A sandbox with an echo on 3000, a mirror on 3001, a WebSocket on 3002, and a liar on 3003."""
    name = server.create()
    server.serve(name, 3000, ECHO)
    server.serve(name, 3001, MIRROR)
    server.serve(name, 3002, WEBSOCKET)
    server.serve(name, 3003, BROKEN_OFF)
    yield name
    server.http.delete(f"/v0/sandboxes/{name}")


def test_the_sdk_reaches_a_port(sdk, server, busy):
    response = sdk.get(busy).fetch(3000, "/a//b%2Fc?x=1&y=%20", method="POST", content=b"hello")

    heard = response.json()
    assert heard["method"] == "POST"
    assert heard["path"] == "/a//b%2Fc?x=1&y=%20"
    assert heard["body"] == "hello"


def test_a_port_sees_no_credential_of_blaxel_and_keeps_its_own(server, busy):
    url = server.inside(busy, f"/port/3000/?token={KEY}&token=of-the-app&workspace=w")
    headers = {"Authorization": "Bearer of-the-app", "X-Blaxel-Workspace": "manta"}

    heard = server.http.get(url, headers=headers).json()

    names = dict(heard["headers"])
    assert heard["path"] == "/?token=of-the-app&workspace=w"
    assert names["authorization"] == "Bearer of-the-app"
    assert [name for name in names if name.startswith("x-blaxel")] == []
    assert KEY not in json.dumps(heard)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
def test_a_port_takes_every_method(server, busy, method):
    response = server.http.request(method, server.inside(busy, "/port/3000/x"))

    assert response.status_code == 200
    assert int(response.headers["content-length"]) > 0


def test_nothing_on_a_port_is_a_502_in_the_gateways_words(server, busy):
    response = server.http.get(server.inside(busy, "/port/3999/"))

    error = response.json()["error"]
    assert response.status_code == error["status"] == 502
    assert "Nothing listens on port 3999" in error["message"]
    assert error["origin"] == "platform"


@pytest.mark.parametrize("port", [80, 443, 8080, 0, 65536, 99999])
def test_reserved_and_impossible_ports_are_refused(server, busy, port):
    assert server.http.get(server.inside(busy, f"/port/{port}/")).status_code == 400


async def chunked_post(server, path):
    """An open request whose body is still to be sent. (httpx only listens once it has sent all.)"""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\n"
    writer.write(f"{head}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
    return reader, writer


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


async def test_what_an_app_says_arrives_while_it_still_listens(server, busy):
    reader, writer = await chunked_post(server, server.inside(busy, "/port/3001/"))
    writer.write(chunk(b"one"))
    first = await asyncio.wait_for(reader.readuntil(chunk(b"one")), 10)
    writer.write(chunk(b"two") + chunk(b""))
    second = await asyncio.wait_for(reader.read(), 10)
    writer.close()

    assert first.startswith(b"HTTP/1.1 200")
    assert second == chunk(b"two") + chunk(b"")


async def test_a_body_larger_than_any_buffer_passes_both_ways_at_once(server, busy):
    async def upload(writer):
        for _ in range(640):
            writer.write(chunk(b"x" * 65536))
            await writer.drain()
        writer.write(chunk(b""))

    reader, writer = await chunked_post(server, server.inside(busy, "/port/3001/"))
    _, answer = await asyncio.wait_for(asyncio.gather(upload(writer), reader.read()), 30)
    writer.close()

    assert answer.count(b"x") == 640 * 65536
    assert answer.endswith(chunk(b""))


def test_a_long_body_of_known_length_arrives_whole(server, busy):
    body = "long " * 2**19

    said = server.http.post(server.inside(busy, "/port/3000/"), content=body).json()

    assert said["body"] == body


def test_a_long_body_that_was_broken_off_is_no_whole_answer(server, busy):
    with pytest.raises(httpx.RemoteProtocolError):
        server.http.get(server.inside(busy, "/port/3003/"))


def test_a_client_that_goes_away_ends_the_stream_inside(server, name):
    server.run(name, "sleep 30", waitForCompletion=False, name="quiet")

    with server.http.stream("GET", server.inside(name, "/process/quiet/logs/stream")):
        time.sleep(0.5)
        assert not server.sleeps(name)

    until(lambda: server.sleeps(name))


def test_a_websocket_is_carried_both_ways_with_its_protocol_and_its_end(server, busy):
    url = f"ws://127.0.0.1:{server.port}{server.inside(busy, '/port/3002/hmr?x=1')}"
    headers = {"Authorization": f"Bearer {KEY}", "Cookie": "mine=1"}

    with connect(url, additional_headers=headers, subprotocols=["chat"]) as socket:
        greeting = socket.recv()
        socket.send("hello")
        echoed = socket.recv()
        socket.send("bye")
        until(lambda: socket.close_code or socket.protocol.close_code)

    assert socket.subprotocol == "chat"
    assert (greeting, echoed) == ("mine=1", "hello")
    assert socket.close_code == 4001


def test_a_websocket_needs_the_key_and_a_listener(server, busy):
    root = f"ws://127.0.0.1:{server.port}{server.inside(busy)}"

    with pytest.raises(InvalidStatus) as anonymous:
        connect(f"{root}/port/3002/")
    with pytest.raises(InvalidStatus) as nobody_there:
        connect(f"{root}/port/3998/?token={KEY}")

    assert anonymous.value.response.status_code == 401
    assert nobody_there.value.response.status_code == 502


def test_paths_reach_the_agent_as_they_were_written(server, name):
    server.run(name, "mkdir -p '/tmp/a b'; echo absolute > '/tmp/a b/f'; echo relative > f")

    absolute = server.http.get(server.inside(name, "/filesystem//tmp/a%20b/f")).json()
    encoded = server.http.get(server.inside(name, "/filesystem/%2Ftmp%2Fa%20b%2Ff")).json()
    relative = server.http.get(server.inside(name, "/filesystem/f")).json()

    assert absolute["content"] == encoded["content"] == "absolute\n"
    assert relative["content"] == "relative\n"


def bare(server, **options):
    return httpx.Client(base_url=server.url, trust_env=False, **options)


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"X-Blaxel-Authorization": f"Bearer {KEY}", "X-Blaxel-Workspace": "manta"}, ""),
        ({"Authorization": f"Bearer {KEY}"}, ""),
        ({}, f"?token={KEY}"),
        ({}, f"?token={KEY}&workspace=manta"),
    ],
)
def test_the_key_opens_both_planes_in_each_of_its_places(server, name, headers, query):
    with bare(server, headers=headers) as client:
        statuses = {
            client.get(f"/v0/sandboxes/{name}{query}").status_code,
            client.get(f"{server.inside(name, '/health')}{query}").status_code,
        }

    assert statuses == {200}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"X-Blaxel-Authorization": "Bearer wrong"}, 401),
        ({"X-Blaxel-Authorization": f"Bearer {KEY}é".encode()}, 401),
        ({"Authorization": f"Basic {KEY}"}, 401),
        ({"Authorization": f"Bearer {KEY}", "X-Blaxel-Workspace": "another"}, 403),
    ],
)
def test_who_has_no_right_is_told_in_the_shape_of_the_place(server, name, headers, status):
    with bare(server, headers=headers) as client:
        control = client.get(f"/v0/sandboxes/{name}")
        creation = client.post("/v0/sandboxes", json={})
        data = client.get(server.inside(name, "/health"))

    assert (control.status_code, control.json()["code"]) == (status, status)
    assert isinstance(control.json()["error"], str)
    assert creation.json()["status_code"] == creation.status_code == status
    assert creation.json()["code"] != "UNAUTHORIZED"
    assert data.json()["error"]["status"] == data.status_code == status


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/manta/sandboxes/nobody-has-this/health", "WORKLOAD_NOT_FOUND"),
        ("/other/sandboxes/x/health", "WORKSPACE_NOT_FOUND"),
        ("/manta/functions/x", "ROUTE_NOT_FOUND"),
        ("/manta/sandboxes%2Fx/health", "ROUTE_NOT_FOUND"),
        ("/", "ROUTE_NOT_FOUND"),
    ],
)
def test_what_is_not_there_is_a_404_in_the_gateways_words(server, path, code):
    response = server.http.get(path)

    assert response.status_code == 404
    assert response.json()["error"]["code"] == code


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "preview.localhost", ""]
)
def test_another_host_name_is_refused(server, host):
    with bare(server, headers={"Host": host, "Authorization": f"Bearer {KEY}"}) as client:
        assert client.get("/v0/sandboxes").status_code == 421
        assert client.get("/health").status_code == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8001", "127.0.0.1:1", "[::1]:8001"])
def test_the_names_of_loopback_are_answered(server, host):
    with bare(server, headers={"Host": host}) as client:
        assert client.get("/health").status_code == 200


def test_a_preflight_is_answered_without_a_key_and_wakes_nothing(server, name):
    until(lambda: server.sleeps(name))
    headers = {"Origin": "http://x.example", "Access-Control-Request-Method": "POST"}

    with bare(server, headers=headers) as client:
        response = client.options(server.inside(name, "/process"))

    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == "*"
    assert server.sleeps(name)


def test_health_needs_no_key_and_says_how_sandboxes_are_isolated(server):
    with bare(server) as client:
        said = client.get("/health").json()

    assert said["status"] == "ok"
    assert said["isolation"] in ("bubblewrap", "none")
    assert said["description"]
