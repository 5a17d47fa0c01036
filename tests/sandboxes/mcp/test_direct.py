"""Calls of tools that are answered without the SDK's streams."""

import asyncio
import json

import pytest
from starlette.requests import ClientDisconnect

from sandboxes.mcp import direct

CALL = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "x"}}
WITH_PROGRESS = {**CALL, "params": {"name": "x", "_meta": {"progressToken": 1}}}
LEFT_TO_THE_SDK = {
    "a notification": {"jsonrpc": "2.0", "method": "notifications/initialized"},
    "the handshake": {**CALL, "method": "initialize"},
    "a call whose progress is asked for": WITH_PROGRESS,
    "a batch": [CALL],
    "an answer": {"jsonrpc": "2.0", "id": 7, "result": {}},
    "an identifier that is none": {**CALL, "id": [7]},
    "no version of JSON-RPC": {"id": 7, "method": "tools/call"},
}


@pytest.mark.parametrize("method", ["tools/call", "tools/list"])
@pytest.mark.parametrize("version", [{}, {"mcp-protocol-version": "2025-06-18"}])
def test_a_request_of_tools_is_answered_here(method, version):
    found = direct.request_in(json.dumps({**CALL, "method": method}).encode(), version)

    assert found is not None
    assert (found.id, found.method, found.params) == (7, method, {"name": "x"})


def test_all_else_is_left_to_the_sdk():
    bodies = {name: json.dumps(sent).encode() for name, sent in LEFT_TO_THE_SDK.items()}
    taken = [name for name, body in bodies.items() if direct.request_in(body, {})]

    assert taken == []
    assert direct.request_in(b"{", {}) is None
    assert direct.request_in(json.dumps(CALL).encode(), {"mcp-protocol-version": "1.0"}) is None


class Exchange:
    """One request that is answered, with what its client hears, and leaves by."""

    def __init__(self, monkeypatch):
        self.work, self.left = asyncio.Event(), asyncio.Event()
        self.said = []
        self.was_cancelled = self.has_unwound = False
        monkeypatch.setattr(direct, "_outcome", self._outcome)
        monkeypatch.setattr(direct, "_START_TIMEOUT", 0.01)
        monkeypatch.setattr(direct, "_PING_EVERY", 0.01)

    async def _outcome(self, *args):
        try:
            await self.work.wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            await asyncio.sleep(0)
            self.has_unwound = True
            raise
        return b"{}"

    async def receive(self):
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        self.said.append(message)

    def answer(self):
        message = direct.request_in(json.dumps(CALL).encode(), {})
        scope = {"type": "http", "headers": []}
        return asyncio.ensure_future(
            direct.answer(None, None, message, scope, self.receive, self.send)
        )

    async def until_heard(self, number):
        async with asyncio.timeout(30):
            while len(self.said) < number:
                await asyncio.sleep(0.005)

    @property
    def body(self):
        return b"".join(message.get("body", b"") for message in self.said)


async def test_an_answer_that_is_there_is_one_event(monkeypatch):
    exchange = Exchange(monkeypatch)
    exchange.work.set()

    await exchange.answer()

    assert [message["type"][5:] for message in exchange.said] == ["response.start", "response.body"]
    assert exchange.body == b"event: message\r\ndata: {}\r\n\r\n"
    assert not exchange.said[-1]["more_body"]


async def test_a_client_that_waits_hears_that_it_goes_on(monkeypatch):
    exchange = Exchange(monkeypatch)
    answering = exchange.answer()

    await exchange.until_heard(3)
    exchange.work.set()
    await answering

    assert exchange.said[0]["status"] == 200
    assert exchange.body.startswith(b": ping\r\n\r\n")
    assert exchange.body.endswith(b"data: {}\r\n\r\n")
    assert [message["more_body"] for message in exchange.said[1:]][-2:] == [True, False]


async def test_a_client_that_leaves_ends_the_work(monkeypatch):
    exchange = Exchange(monkeypatch)
    answering = exchange.answer()
    await exchange.until_heard(2)

    exchange.left.set()
    with pytest.raises(ClientDisconnect):
        await answering

    assert exchange.was_cancelled
    assert exchange.has_unwound


async def test_a_call_that_is_broken_off_ends_the_work(monkeypatch):
    exchange = Exchange(monkeypatch)
    answering = exchange.answer()
    await exchange.until_heard(1)

    answering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answering

    assert exchange.was_cancelled
    assert exchange.has_unwound
