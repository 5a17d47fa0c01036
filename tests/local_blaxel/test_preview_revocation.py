"""Connections through a preview end with the right to it."""

import contextlib
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.support.inner_servers import WEBSOCKET
from tests.support.local_blaxel import TIMEOUT

POLICY_VIOLATION = 1008


@pytest.fixture(scope="module")
def shown(server):
    """A sandbox with a WebSocket on 3002 and a process that never ends."""
    name = server.create()
    server.serve(name, 3002, WEBSOCKET)
    server.run(name, "echo on; sleep 1000", name="endless", waitForCompletion=False)
    yield name
    server.http.delete(f"/v0/sandboxes/{name}")


@pytest.fixture
def previews(server, shown):
    """The address of the sandbox's previews; there is none at first."""
    path = f"/v0/sandboxes/{shown}/previews"
    yield path
    for each in server.http.get(path).json():
        server.http.delete(f"{path}/{each['metadata']['name']}")


def make(server, previews, **spec):
    return post(server, previews, metadata={"name": "one"}, spec=spec)["spec"]["url"]


def token_of(server, previews, lives=3600.0):
    ends = datetime.now(UTC) + timedelta(seconds=lives)
    return post(server, f"{previews}/one/tokens", spec={"expiresAt": ends.isoformat()})


def post(server, path, **body):
    return server.http.post(path, json=body).raise_for_status().json()


def dial(url, token=None):
    headers = {"X-Blaxel-Preview-Token": token["spec"]["token"]} if token else {}
    address = f"{url.replace('http', 'ws')}/"
    return connect(address, additional_headers=headers, subprotocols=["chat"], proxy=None)


def dial_before_the_end(server, previews, url):
    """A WebSocket whose token expires soon, and when: later on a slower machine."""
    for lives in (1, 5, 25):
        expires_at = time.time() + lives
        with contextlib.suppress(InvalidStatus):
            return dial(url, token_of(server, previews, lives)), expires_at
    raise AssertionError("expired before it was used")


def end_of(websocket):
    """The code that a WebSocket is closed with."""
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            websocket.recv(timeout=TIMEOUT)
    return closed.value.rcvd.code


def test_a_revoked_token_ends_its_own_websocket_and_no_other(server, previews):
    url = make(server, previews, port=3002)
    kept, revoked = token_of(server, previews), token_of(server, previews)

    with dial(url, kept) as other, dial(url, revoked) as websocket:
        websocket.recv(timeout=TIMEOUT)
        other.recv(timeout=TIMEOUT)
        server.http.delete(f"{previews}/one/tokens/{revoked['metadata']['name']}")

        assert end_of(websocket) == POLICY_VIOLATION
        other.send("still there")
        assert other.recv(timeout=TIMEOUT) == "still there"


def test_a_deleted_preview_ends_its_websockets(server, previews):
    url = make(server, previews, port=3002, public=True)

    with dial(url) as websocket:
        websocket.recv(timeout=TIMEOUT)
        server.http.delete(f"{previews}/one")

        assert end_of(websocket) == POLICY_VIOLATION


def test_a_preview_made_private_ends_what_came_without_a_token(server, previews):
    url = make(server, previews, port=3002, public=True)

    with dial(url) as websocket:
        websocket.recv(timeout=TIMEOUT)
        server.http.put(f"{previews}/one", json={"spec": {"port": 3002, "public": False}})

        assert end_of(websocket) == POLICY_VIOLATION


def test_an_update_that_changes_nothing_ends_nothing(server, previews):
    url = make(server, previews, port=3002, public=True)

    with dial(url) as websocket:
        websocket.recv(timeout=TIMEOUT)
        server.http.put(f"{previews}/one", json={"spec": {"port": 3002, "public": True}})
        websocket.send("still there")

        assert websocket.recv(timeout=TIMEOUT) == "still there"


def test_a_websocket_ends_when_its_token_expires(server, previews):
    url = make(server, previews, port=3002)
    websocket, expires_at = dial_before_the_end(server, previews, url)

    with websocket:
        websocket.recv(timeout=TIMEOUT)

        assert end_of(websocket) == POLICY_VIOLATION
    assert time.time() >= expires_at


def test_a_revoked_session_ends_its_log_stream(server, previews):
    url = make(server, previews, port=443)
    token = token_of(server, previews)
    headers = {"X-Blaxel-Preview-Token": token["spec"]["token"]}
    stream = httpx.stream(
        "GET", f"{url}/process/endless/logs/stream", headers=headers, timeout=TIMEOUT
    )

    with stream as answer, pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
        lines = answer.iter_lines()
        assert next(lines) == "stdout:on"
        server.http.delete(f"{previews}/one/tokens/{token['metadata']['name']}")
        list(lines)
