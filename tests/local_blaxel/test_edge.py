import asyncio
import json

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.support.inner_servers import (
    BROKEN_OFF,
    EARLY,
    ECHO,
    MIRROR,
    NO_STATUS,
    TWO_LENGTHS,
    WEBSOCKET,
)
from tests.support.local_blaxel import KEY, TIMEOUT
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def busy(server):
    """A sandbox with an echo on 3000, a mirror on 3001, a WebSocket on 3002, and odd servers."""
    name = server.create()
    server.serve(name, 3000, ECHO)
    server.serve(name, 3001, MIRROR)
    server.serve(name, 3002, WEBSOCKET)
    server.serve(name, 3003, BROKEN_OFF)
    server.serve(name, 3004, NO_STATUS)
    server.serve(name, 3005, EARLY)
    server.serve(name, 3006, TWO_LENGTHS)
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


@pytest.mark.parametrize(("path", "reason"), [("", "Bad status"), ("200", "control character")])
def test_an_answer_that_http_does_not_have_is_a_502(server, busy, path, reason):
    response = server.http.get(server.inside(busy, f"/port/3004/{path}"))

    assert response.status_code == 502
    assert reason in response.json()["error"]["message"]


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
    first = await asyncio.wait_for(reader.readuntil(chunk(b"one")), TIMEOUT)
    writer.write(chunk(b"two") + chunk(b""))
    second = await asyncio.wait_for(reader.read(), TIMEOUT)
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
    _, answer = await asyncio.wait_for(asyncio.gather(upload(writer), reader.read()), TIMEOUT)
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


def test_a_websocket_is_carried_both_ways_with_its_protocol_and_its_end(server, busy):
    url = f"ws://127.0.0.1:{server.port}{server.inside(busy, '/port/3002/hmr?x=1')}"
    headers = {"Authorization": f"Bearer {KEY}", "Cookie": "mine=1"}

    with connect(url, additional_headers=headers, subprotocols=["chat"]) as socket:
        greeting = socket.recv()
        socket.send("hello")
        echoed = socket.recv()
        socket.send("bye")
        wait_until(lambda: socket.close_code or socket.protocol.close_code)

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
    return httpx.Client(base_url=server.url, trust_env=False, verify=False, **options)


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
    "host", ["evil.example", "127.0.0.1.evil.example", "a.preview.localhost", ""]
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
    wait_until(lambda: server.sleeps(name))
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


def test_an_answer_that_comes_before_the_body_is_read_is_passed_on(server, busy):
    url = server.inside(busy, "/port/3005/upload")

    answers = [server.http.post(url, content=bytes(2**22)) for _ in range(24)]

    assert [answer.status_code for answer in answers] == [413] * 24
    assert {answer.text for answer in answers} == {"too large"}


def test_a_length_beside_chunks_does_not_count(server, busy):
    response = server.http.get(server.inside(busy, "/port/3006/"))

    assert (response.status_code, response.text) == (200, "chunks")
    assert "content-length" not in response.headers


@pytest.mark.parametrize("odd", ["999", "520", "299"])
def test_a_websocket_is_refused_with_a_status_that_has_a_name(server, busy, odd):
    address = f"ws://127.0.0.1:{server.port}{server.inside(busy)}/port/3004/{odd}"

    with pytest.raises(InvalidStatus) as refused:
        connect(address, additional_headers={"Authorization": f"Bearer {KEY}"})

    assert refused.value.response.status_code == 502


def test_a_redirect_of_a_websocket_is_passed_on_and_not_followed(server, busy):
    address = f"ws://127.0.0.1:{server.port}{server.inside(busy)}/port/3004/302"

    with pytest.raises(InvalidStatus) as refused:
        connect(address, additional_headers={"Authorization": f"Bearer {KEY}"})

    assert refused.value.response.status_code == 302
