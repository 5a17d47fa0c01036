"""What waits for a page that doesn't read, and for how long."""

import asyncio
import json

import pytest
from django.utils import timezone

from accounts.sessions import SignIn
from sandboxes.models import SandboxEvent
from sandboxes.streams import sse
from sandboxes.streams.status import stream as streams
from sandboxes.streams.status.cursor import Cursor
from sandboxes.streams.status.poller import Opening, State
from sandboxes.streams.status.stream import Stream


def state(version):
    return State(version, f"event: state\ndata: {json.dumps(version)}\n\n".encode())


def event(number):
    return SandboxEvent(pk=number, owner_id=1, action="refresh", created_at=timezone.now())


class Reader:
    """The server's side of a connection. It takes nothing while it is held up."""

    def __init__(self):
        self.said = b""
        self.reads = asyncio.Event()
        self.gone = asyncio.Event()
        self.reads.set()

    async def send(self, message):
        await self.reads.wait()
        self.said += message["body"]

    async def receive(self):
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def has(self, text):
        async with asyncio.timeout(10):
            while text not in self.said.decode():
                await asyncio.sleep(0)


@pytest.fixture
async def reader():
    return Reader()


def stream_of(first):
    return Stream(SignIn("key", 1, "hash"), Opening(first, Cursor(7), [], 7))


@pytest.fixture
async def told(reader):
    """A stream that the reader has been told the beginning of, and the task that tells."""
    stream = stream_of(state("first"))
    task = asyncio.create_task(stream.tell(reader.receive, reader.send))
    await reader.has('"first"')
    yield stream, task
    task.cancel()


async def test_the_id_to_go_on_from_is_told_whatever_comes_first(reader):
    stream = stream_of(state("first"))

    stream.show(state("second"))
    task = asyncio.create_task(stream.tell(reader.receive, reader.send))
    await reader.has('"second"')
    reader.gone.set()
    await task

    assert "id: 7\nevent: state" in reader.said.decode()


async def test_of_several_states_only_the_latest_waits(reader, told):
    stream, _ = told
    reader.reads.clear()
    stream.show(state("second"))
    await asyncio.sleep(0)  # it is on its way now, and held up

    stream.show(state("third"))
    stream.show(state("fourth"))
    reader.reads.set()

    await reader.has('"fourth"')
    assert '"third"' not in reader.said.decode()


async def test_a_state_that_is_shown_already_is_not_told_again(reader, told):
    stream, _ = told

    stream.show(state("first"))
    stream.record([event(8)], 0)

    await reader.has('"id":8')
    assert reader.said.decode().count('"first"') == 1


async def test_too_many_events_that_nobody_reads_end_the_stream(reader, told, monkeypatch):
    monkeypatch.setattr(streams, "_MAX_WAITING", 3)
    stream, task = told
    reader.reads.clear()

    stream.record(map(event, range(11, 15)), 0)
    stream.record([event(15)], 0)
    reader.reads.set()
    await task

    assert '"reason":"slow"' in reader.said.decode()
    assert '"id":15' not in reader.said.decode()


async def test_who_reads_nothing_for_too_long_is_told_no_more(reader, told, monkeypatch):
    monkeypatch.setattr(sse, "_TIMEOUT", 0.01)
    stream, task = told
    reader.reads.clear()
    stream.show(state("second"))
    async with asyncio.timeout(10):
        while not stream.is_over:
            await asyncio.sleep(0.01)

    reader.reads.set()
    stream.record([event(8)], 0)
    stream.show(state("third"))
    reader.gone.set()
    await task

    assert '"second"' not in reader.said.decode()
    assert '"third"' not in reader.said.decode()


async def test_it_is_over_when_the_page_has_left(reader, told):
    _, task = told

    reader.gone.set()

    async with asyncio.timeout(10):
        await task
