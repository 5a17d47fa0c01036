"""A session opens the whole API of its own sandbox, at its own address and without the key."""

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.support.local_blaxel import TIMEOUT

HELLO = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}


@pytest.fixture
def session(sdk, name):
    soon = datetime.now(UTC) + timedelta(hours=1)
    return sdk.get(name).sessions.create({"expires_at": soon})


@pytest.fixture
def inside(session):
    headers = {"X-Blaxel-Preview-Token": session.token}
    with httpx.Client(
        base_url=session.url, headers=headers, trust_env=False, timeout=TIMEOUT
    ) as http:
        yield http


def test_files_are_written_and_read(inside):
    inside.put("/filesystem//tmp/by-a-session", json={"content": "text"}).raise_for_status()

    assert inside.get("/filesystem//tmp/by-a-session").json()["content"] == "text"


def test_a_name_may_have_a_line_break(inside):
    inside.put("/filesystem//tmp/two%0Alines", json={"content": "text"}).raise_for_status()

    assert inside.get("/filesystem//tmp/two%0Alines").json()["content"] == "text"


def test_a_process_runs(inside):
    body = {"command": "echo hello", "waitForCompletion": True}

    assert inside.post("/process", json=body).json()["stdout"] == "hello\n"


def test_a_folder_is_watched(inside):
    with inside.stream("GET", "/watch/filesystem//tmp/**") as response:
        assert response.status_code == 200


def test_a_port_is_reached(inside):
    command = "python3 -m http.server 5052"
    inside.post("/process", json={"command": command, "waitForPorts": [5052]}).raise_for_status()

    assert "Directory listing" in inside.get("/port/5052/").text
    assert inside.get("/port/8080/").status_code == 400


def test_mcp_answers_over_http(inside):
    tools = inside.post("/mcp", json=HELLO).json()["result"]["tools"]

    assert "fsReadFile" in {tool["name"] for tool in tools}


@pytest.mark.parametrize("path", ["/terminal/ws?sessionId=x", "/"])
def test_websockets_open(session, path):
    headers = {"X-Blaxel-Preview-Token": session.token}
    address = session.url.replace("http", "ws", 1) + path

    with connect(address, additional_headers=headers, proxy=None) as socket:
        socket.send(json.dumps(HELLO | {"type": "resize", "cols": 80, "rows": 24}))
        assert socket.recv(TIMEOUT)


def test_nothing_opens_without_the_token(session):
    address = session.url.replace("http", "ws", 1)

    assert httpx.post(f"{session.url}/mcp", json=HELLO, trust_env=False).status_code == 401
    with pytest.raises(InvalidStatus):
        connect(f"{address}/terminal/ws", proxy=None)
