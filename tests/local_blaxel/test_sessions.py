import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from mcp.client.session import ClientSession
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.support.local_blaxel import TIMEOUT


@pytest.fixture
def sessions(sdk, name):
    return sdk.get(name).sessions


def test_sessions_are_made_listed_got_and_deleted(sessions):
    made = sessions.create({"expires_at": datetime.now(UTC) + timedelta(hours=1)})

    listed = sessions.list()
    got = sessions.get(made.name)
    sessions.delete(made.name)

    assert [(each.name, each.token) for each in listed] == [(made.name, made.token)]
    assert (got.url, got.token) == (made.url, made.token)
    assert sessions.list() == []


def test_a_session_is_used_again_until_it_has_almost_expired(sessions):
    first = sessions.create_if_expired({"expires_at": datetime.now(UTC) + timedelta(hours=3)})
    again = sessions.create_if_expired({"expires_at": datetime.now(UTC) + timedelta(hours=3)})
    later = sessions.create_if_expired(
        {"expires_at": datetime.now(UTC) + timedelta(hours=9)}, delta_seconds=4 * 3600
    )

    assert again.token == first.token
    assert later.token != first.token


def test_a_deleted_session_lets_nobody_in(sdk, sessions):
    made = sessions.create({"expires_at": datetime.now(UTC) + timedelta(hours=1)})
    remote = sdk.from_session(made)
    sessions.delete(made.name)

    with pytest.raises(Exception, match=r"404|preview"):
        remote.fs.ls("/")


def mcp_address(sdk, name):
    return sdk.get(name).sandbox.metadata.url.replace("http", "ws", 1)


@contextmanager
def mcp_over_websocket(address, token):
    with connect(f"{address}?bl_preview_token={token}", proxy=None) as socket:
        yield socket


def ask(socket, method):
    socket.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": {}}))
    return json.loads(socket.recv(TIMEOUT))["result"]


def test_a_session_opens_its_own_sandboxes_mcp_over_websocket(sdk, name, sessions):
    made = sessions.create({"expires_at": datetime.now(UTC) + timedelta(hours=1)})

    with mcp_over_websocket(mcp_address(sdk, name), made.token) as socket:
        hello, listed = ask(socket, "initialize"), ask(socket, "tools/list")

    assert hello["serverInfo"]["name"] == "Sandbox API Server"
    assert "fsReadFile" in {tool["name"] for tool in listed["tools"]}


async def test_the_sdks_own_client_sends_the_token_in_a_header(sdk, name, sessions):
    from blaxel.core.mcp.client import websocket_client

    made = sessions.create({"expires_at": datetime.now(UTC) + timedelta(hours=1)})
    headers = {"X-Blaxel-Preview-Token": made.token}

    async with (
        websocket_client(mcp_address(sdk, name), headers) as streams,
        ClientSession(*streams) as client,
    ):
        await client.initialize()
        answer = await client.call_tool("fsGetWorkingDirectory", {})

    assert answer.structured_content == {"path": "/blaxel"}


def test_and_nobody_elses_nor_without_one(sdk, name, sessions):
    made = sessions.create({"expires_at": datetime.now(UTC) + timedelta(hours=1)})

    other = sdk.create({"name": f"{name}-other"}).metadata.url.replace("http", "ws", 1)

    with pytest.raises(InvalidStatus) as others:
        connect(f"{other}?bl_preview_token={made.token}", proxy=None)
    with pytest.raises(InvalidStatus) as wrong:
        connect(f"{mcp_address(sdk, name)}?bl_preview_token=x{made.token}", proxy=None)

    sdk.delete(f"{name}-other")
    assert others.value.response.status_code == wrong.value.response.status_code == 401


def test_an_open_one_ends_with_its_session(sdk, name, sessions):
    made = sessions.create({"expires_at": datetime.now(UTC) + timedelta(hours=1)})

    with mcp_over_websocket(mcp_address(sdk, name), made.token) as socket:
        ask(socket, "initialize")
        sessions.delete(made.name)
        with pytest.raises(ConnectionClosed) as ended:
            socket.recv(TIMEOUT)

    assert ended.value.rcvd.code == 1008
