"""One open page, and what it has still to be told."""

import asyncio
import logging
from collections.abc import Iterable

from starlette.types import Receive, Send

from accounts.sessions import SignIn
from sandboxes.models import SandboxEvent
from sandboxes.streams import sse
from sandboxes.streams.status import messages
from sandboxes.streams.status.poller import Opening, State

logger = logging.getLogger(__name__)

# Seconds in which a reader has to take what it was sent, and events that may wait for it.
_TIMEOUT = 20.0
_MAX_WAITING = 500


class Stream:
    """Queue for one page: a slow reader holds the latest state and a bounded number of events."""

    def __init__(self, sign_in: SignIn, opening: Opening) -> None:
        self.sign_in = sign_in
        self._cursor = opening.cursor
        self._version = opening.state.version
        first = sse.retry() + f"id: {opening.cursor}\n".encode() + opening.state.written
        if opening.missed:
            first += sse.message("missed", {"before": opening.events[0].pk})
        # Apart from the state, which a newer one replaces: the id in it must not be lost.
        self._first, self._state, self._events, self._beat = first, b"", b"", b""
        self._call = b""
        self._waiting = 0
        self._last: bytes | None = None
        self._wake = asyncio.Event()
        self.record(opening.events, opening.settled)
        self._wake.set()

    @property
    def is_over(self) -> bool:
        return self._last is not None

    def show(self, state: State) -> None:
        if state.version != self._version:
            self._version, self._state = state.version, state.written
            self._wake.set()

    def record(self, events: Iterable[SandboxEvent], settled: int) -> None:
        """Tell of those events that it has not been told of. None can still appear up to an id."""
        for event in events:
            if self._cursor.has(event.pk) or self.is_over:
                continue
            self._cursor = self._cursor.after(event.pk).settled(min(event.pk, settled))
            self._events += sse.message("event", messages.event(event), self._cursor)
            self._waiting += 1
            self._wake.set()
        self._cursor = self._cursor.settled(settled)
        if self._waiting > _MAX_WAITING:
            self.end("slow")

    def call(self, newest: int) -> None:
        """An agent has done something: the page asks what, where it shows that."""
        self._call = sse.message("call", {"id": newest})
        self._wake.set()

    def beat(self, said: bytes) -> None:
        self._beat = said
        self._wake.set()

    def end(self, reason: str, retry: int | None = None) -> None:
        """Say why, and be over. Of several reasons the first counts."""
        if not self.is_over:
            again = sse.retry(retry) if retry else b""
            self._last = again + sse.message("end", {"reason": reason})
            self._wake.set()

    async def tell(self, receive: Receive, send: Send) -> None:
        """Send what there is to say, until it is over or the page has gone."""
        leaving = asyncio.create_task(self._until_left(receive))
        try:
            while not self.is_over:
                await self._wake.wait()
                self._wake.clear()
                await _send(send, self._take(), more=True)
            await _send(send, self._last or b"", more=False)
        except TimeoutError:
            self.end("slow")
            logger.info("A page reads too slowly for its stream, and is told no more")
            # The connection is its to close: nothing can be sent on it, not even an end.
            await leaving
        finally:
            leaving.cancel()

    def _take(self) -> bytes:
        said = self._first + self._state + self._events + self._call + self._beat
        self._first = self._state = self._events = self._call = self._beat = b""
        self._waiting = 0
        return said

    async def _until_left(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.end("left")


async def _send(send: Send, said: bytes, *, more: bool) -> None:
    async with asyncio.timeout(_TIMEOUT):
        await send({"type": "http.response.body", "body": said, "more_body": more})
