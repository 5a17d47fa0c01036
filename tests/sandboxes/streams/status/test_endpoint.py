"""Who is let in, when there is no room or no database."""

import httpx
import pytest
from django.db import OperationalError, connections

from manta.asgi import application
from sandboxes.streams.paths import STATUS
from sandboxes.streams.status import endpoint
from sandboxes.streams.status.hub import Hub


async def get(**headers):
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.get(STATUS, headers=headers)


@pytest.fixture
def full(monkeypatch):
    monkeypatch.setattr(endpoint.hub.streams, "_capacity", 0)


async def test_who_finds_no_room_is_told_when_to_come_back(full):
    answer = await get(Cookie="sessionid=of-somebody")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "30"
    assert "too many" in answer.json()["error"]
    assert answer.json()["code"] == "busy"


async def test_a_stranger_is_not_even_told_that(full):
    assert (await get()).status_code == 401


async def test_a_database_that_is_away_is_no_bug(monkeypatch):
    def fails(*args):
        raise OperationalError

    monkeypatch.setattr(endpoint, "_look_up", fails)

    answer = await get(Cookie="sessionid=of-somebody")

    assert answer.status_code == 503
    assert answer.json()["code"] == "database_away"


async def test_without_a_stream_no_connection_is_kept(db):
    def ask():
        connections["default"].ensure_connection()
        return connections["default"]

    used = await Hub().read(ask)

    assert used.connection is None
