"""Limits for the calls that one person's agents have under way: number, time and memory.

A token is all that it takes to open a call, and nothing makes its sender end it: without limits one
person's agents would hold all of the process's memory.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from manta.core import json_values
from manta.core.computing import in_thread
from sandboxes.streams.limits import NoPlace, PerUserLimit

# Calls of one person, in one web process: agents send a hundred at once.
MAX_CALLS = 128
# Files are written whole through here, escaped as JSON.
MAX_BODY = 16 * 2**20
# Bytes that the bodies of one person's calls hold together, from their arrival until their answer.
MAX_HELD = 32 * 2**20
BODY_TIMEOUT = 30.0
# Of JSON (manta.core.json_values): an agent's calls have few values, and are read in the event
# loop.
MAX_TOKENS = 50_000
# A body of this many bytes can't have more.
_SMALL = 32 * 2**10


class Refused(Exception):
    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        headers = {"Connection": "close"} | ({"Retry-After": "5"} if status == 429 else {})
        self.response: Response = JSONResponse({"error": text, "code": code}, status, headers)


class Intake:
    def __init__(self) -> None:
        self._calls = PerUserLimit(MAX_CALLS)
        self._held = PerUserLimit(MAX_HELD)

    @contextmanager
    def place(self, user: int) -> Iterator["Place"]:
        """Hold one of a person's places for a call. Raises Refused when all are taken."""
        place = Place(self._held, user)
        try:
            with self._calls.hold(user):
                yield place
        except NoPlace:
            text = f"Your agents have {MAX_CALLS} calls running already."
            raise Refused(429, "throttled", text) from None
        finally:
            place.free()


class Place:
    def __init__(self, held: PerUserLimit, user: int) -> None:
        self._held, self._user = held, user
        self._size = 0

    def free(self) -> None:
        self._held.free(self._user, self._size)
        self._size = 0

    def after_body(self, answer: ASGIApp) -> ASGIApp:
        """Return an application that reads all of the body before it asks that one."""

        async def read_and_answer(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                body = await self.body(receive)
            except Refused as refused:
                await refused.response(scope, receive, send)
            else:
                await answer(scope, replayed(body, receive), send)

        return read_and_answer

    async def body(self, receive: Receive) -> bytes:
        """Read the body. Raises Refused, and ClientDisconnect when its sender has left."""
        try:
            async with asyncio.timeout(BODY_TIMEOUT):
                return await self._read(receive)
        except TimeoutError:
            raise Refused(408, "too_slow", "The request took too long: send it again.") from None

    async def _read(self, receive: Receive) -> bytes:
        body, more = bytearray(), True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            piece = message.get("body", b"")
            more = message.get("more_body", False)
            if self._size + len(piece) > MAX_BODY:
                raise Refused(413, "too_large", f"Send no more than {MAX_BODY} bytes at a time.")
            try:
                self._held.take(self._user, len(piece))
            except NoPlace:
                text = "Your agents send too much at once. Send one request at a time."
                raise Refused(429, "throttled", text) from None
            self._size += len(piece)
            body += piece
        return await _of_few_values(bytes(body)) if len(body) > _SMALL else bytes(body)


async def _of_few_values(body: bytes) -> bytes:
    """Return the body. Raises Refused where parsing it would block the process for all others."""
    try:
        await in_thread(json_values.check, body, MAX_TOKENS)
    except json_values.TooManyValues:
        raise Refused(413, "too_large", "The request has too many values: send less.") from None
    return body


async def whole(receive: Receive) -> bytes:
    """Return a body whose size was checked. Raises ClientDisconnect."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def replayed(body: bytes, receive: Receive) -> Receive:
    """Return what gives the body that was read, and then what still comes."""
    told = False

    async def replay() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
