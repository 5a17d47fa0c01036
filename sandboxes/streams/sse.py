"""Server-sent events with JSON in them: their format, and the response that sends them."""

import asyncio
import json
import logging
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from starlette.responses import Response
from starlette.types import Receive, Send

logger = logging.getLogger(__name__)

# Milliseconds until a page asks again after its stream broke off.
RETRY = 1000
# Seconds in which a reader has to take what it was sent.
_TIMEOUT = 20.0
_HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    # nginx would keep it back until it has a buffer full.
    "X-Accel-Buffering": "no",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def message(name: str, data: dict[str, Any], cursor: object | None = None) -> bytes:
    # The id first: it is what the browser sends back, whatever becomes of the rest.
    lines = [f"id: {cursor}"] if cursor else []
    lines += [f"event: {name}", f"data: {json.dumps(data, separators=(',', ':'))}"]
    return "\n".join([*lines, "", ""]).encode()


def retry(milliseconds: int = RETRY) -> bytes:
    return f"retry: {milliseconds}\n\n".encode()


def comment() -> bytes:
    return b":\n\n"


def ended(reason: str) -> Response:
    """A stream that says no more than why there is none: a page can't read another response."""
    return Response(message("end", {"reason": reason}), headers=_HEADERS)


class EventStream(ABC):
    """Response of server-sent events to one page, which is given up when it reads too slowly."""

    # Seconds between signs of life, so that no proxy finds it idle; None where others give them.
    beat_every: ClassVar[float | None] = None

    def __init__(self) -> None:
        self._last: bytes | None = None
        self._wake = asyncio.Event()

    @property
    def is_over(self) -> bool:
        return self._last is not None

    def end(self, reason: str, retry_after: int | None = None) -> None:
        """Say why, and be over. Of several reasons the first counts."""
        if not self.is_over:
            again = retry(retry_after) if retry_after else b""
            self._last = again + message("end", {"reason": reason})
            self._wake.set()

    @abstractmethod
    def _take(self) -> bytes:
        """Return what there is to say, and forget it."""

    async def respond(
        self, receive: Receive, send: Send, revoked: asyncio.Event | None = None
    ) -> None:
        headers = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await self.tell(receive, send, revoked)

    async def tell(
        self, receive: Receive, send: Send, revoked: asyncio.Event | None = None
    ) -> None:
        """Send what there is to say, until it is over, is no more allowed, or the page has gone."""
        leaving = asyncio.create_task(self._until_left(receive))
        ending = asyncio.create_task(self._until_revoked(revoked or asyncio.Event()))
        try:
            while not self.is_over:
                await _send(send, await self._next(), more=True)
            await _send(send, self._last or b"", more=False)
        except TimeoutError:
            self.end("slow")
            logger.info("A page reads too slowly for its stream, and is told no more")
            # The connection is its to close: nothing can be sent on it, not even an end.
            await leaving
        finally:
            leaving.cancel()
            ending.cancel()

    async def _next(self) -> bytes:
        try:
            async with asyncio.timeout(self.beat_every):
                await self._wake.wait()
        except TimeoutError:
            return comment()
        self._wake.clear()
        return self._take()

    async def _until_left(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.end("left")

    async def _until_revoked(self, revoked: asyncio.Event) -> None:
        await revoked.wait()
        self.end("over")


async def _send(send: Send, said: bytes, *, more: bool) -> None:
    async with asyncio.timeout(_TIMEOUT):
        await send({"type": "http.response.body", "body": said, "more_body": more})
