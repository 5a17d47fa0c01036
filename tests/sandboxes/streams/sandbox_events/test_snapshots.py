"""How often the snapshots of a sandbox are read, however often it says one."""

import asyncio
import json
from types import SimpleNamespace

import pytest

from sandboxes import errors
from sandboxes.data_plane.async_client import close_streaming_client
from sandboxes.streams.sandbox_events.upstream import Upstream

COUNT = 3_000


def snapshots(moments):
    return "".join(f"@ {each}.5 50 7 4096\np {each} 7 7 7 0 0 9 9 x\n.\n" for each in moments)


def says(hostile, stream, kept=""):
    """A sandbox whose process says what a function writes, and has kept some of it."""
    answers = {
        "stream": stream,
        "logs": hostile.say(json.dumps({"logs": kept}).encode()),
    }
    other = hostile.say(b"{}")
    return lambda handler: answers.get(handler.path.rpartition("/")[2], other)(handler)


@pytest.fixture
def follow(hostile, monkeypatch):
    """Follow what a hostile sandbox says of its processes, until it ends."""
    monkeypatch.setattr(Upstream, "_works", lambda self: [])

    async def followed():
        upstream = Upstream(
            SimpleNamespace(pk=1, name="user-1", url=hostile.url, reach=hostile.reach)
        )
        try:
            await upstream._follow_processes()
        finally:
            upstream.close()
            await close_streaming_client()

    return lambda: asyncio.run(followed())


def test_a_flood_of_snapshots_is_not_read_one_by_one(follow, hostile, monkeypatch):
    taken = []

    async def take(self, now, before):
        taken.append(now.uptime)

    def flood(handler):
        hostile.say(snapshots(range(COUNT)).encode())(handler)
        while not taken and not hostile.over.wait(0.02):
            pass

    monkeypatch.setattr(Upstream, "_take_stock", take)
    hostile.answer = says(hostile, flood)

    follow()

    assert 0 < len(taken) < COUNT / 10


def test_the_last_snapshot_is_told_first_and_none_before_it(follow, hostile, monkeypatch):
    taken = []

    async def take(self, now, before):
        taken.append((now.uptime, before and before.uptime))

    def from_the_beginning(handler):
        hostile.say(snapshots(range(COUNT + 1)).encode())(handler)
        while len(taken) < 2 and not hostile.over.wait(0.02):
            pass

    monkeypatch.setattr(Upstream, "_take_stock", take)
    kept = snapshots(range(COUNT - 5, COUNT))
    hostile.answer = says(hostile, from_the_beginning, kept)

    follow()

    assert taken == [(COUNT - 0.5, COUNT - 1.5), (COUNT + 0.5, COUNT - 0.5)]


def test_what_goes_wrong_with_one_ends_the_following(follow, hostile, monkeypatch):
    async def fail(self, now, before):
        raise errors.ProviderUnavailable("no list")

    def slowly(handler):
        hostile.say(b"")(handler)
        while not hostile.over.wait(0.02):
            handler.wfile.write(b"@ 1.5 50 7 4096\n.\n")

    monkeypatch.setattr(Upstream, "_take_stock", fail)
    hostile.answer = says(hostile, slowly)

    with pytest.raises(errors.ProviderUnavailable):
        follow()
