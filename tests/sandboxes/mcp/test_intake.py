"""Calls that are opened and never ended: one person's agents can't take all of the memory."""

import asyncio
import socket
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from sandboxes.mcp import intake
from sandboxes.mcp.endpoint import PATH
from sandboxes.mcp.intake import Intake, Refused

pytestmark = pytest.mark.data_plane

PING = b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}'


@pytest.fixture
def opened(web):
    """Open a call whose head says that its body is as long as that, and send some of it."""
    address = urlsplit(web.url)
    with ExitStack() as stack:

        def opened(bearer, body=b"{", length=100_000):
            line = socket.create_connection((address.hostname, address.port), 30)
            stack.enter_context(line)
            head = (
                f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {bearer}\r\n"
                "Accept: application/json, text/event-stream\r\nContent-Type: application/json\r\n"
                f"Content-Length: {length}\r\n\r\n"
            )
            line.sendall(head.encode() + body)
            return line

        yield opened


def pinged(line):
    return int(line.recv(20).split()[1])


@pytest.mark.exhaustive
def test_one_person_has_a_number_of_calls_under_way(opened, token, alice, bob):
    theirs = token(alice), token(alice)
    lines = [opened(theirs[number % 2]) for number in range(intake.MAX_CALLS + 1)]

    # Whichever came last.
    for line in lines:
        line.settimeout(0.2)
    answers = []
    while not answers:
        for line in lines:
            try:
                answers.append(pinged(line))
            except TimeoutError:
                continue
    assert answers == [429]
    assert pinged(opened(token(bob), PING, len(PING))) == 200

    for line in lines:
        line.close()
    while (status := pinged(opened(theirs[0], PING, len(PING)))) == 429:
        pass
    assert status == 200


def receiving(*pieces):
    """What a sender gives that then says nothing more."""
    coming = list(pieces)

    async def receive():
        if not coming:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": coming.pop(0), "more_body": True}

    return receive


def refusal(work):
    with pytest.raises(Refused) as refused:
        asyncio.run(work)
    return refused.value.response.status_code


def test_half_a_body_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(intake, "BODY_TIMEOUT", 0.05)

    with Intake().place(1) as place:
        assert refusal(place.body(receiving(b"{"))) == 408


def test_a_body_of_many_values_is_not_read():
    async def receive():
        body = b'{"params": [' + b"[]," * 30_000 + b"[]]}"
        return {"type": "http.request", "body": body, "more_body": False}

    with Intake().place(1) as place:
        assert refusal(place.body(receive)) == 413


def test_a_body_has_an_end(monkeypatch):
    monkeypatch.setattr(intake, "MAX_BODY", 100)

    with Intake().place(1) as place:
        assert refusal(place.body(receiving(b"x" * 60, b"x" * 60))) == 413


def test_one_persons_bodies_hold_a_number_of_bytes(monkeypatch):
    monkeypatch.setattr(intake, "MAX_HELD", 100)
    monkeypatch.setattr(intake, "BODY_TIMEOUT", 0.05)
    those = Intake()

    with those.place(1) as first:
        assert refusal(first.body(receiving(b"x" * 60))) == 408
        with those.place(1) as second:
            assert refusal(second.body(receiving(b"x" * 60))) == 429
        with those.place(2) as another:
            assert refusal(another.body(receiving(b"x" * 60))) == 408
    with those.place(1) as later:
        assert refusal(later.body(receiving(b"x" * 60))) == 408
