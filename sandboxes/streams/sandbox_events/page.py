"""One open page, and what it has still to be told of its sandbox."""

import asyncio
import logging

from starlette.types import Receive, Send

from sandboxes.data_plane.file_changes import Burst
from sandboxes.streams import sse

logger = logging.getLogger(__name__)

# Seconds in which a reader has to take what it was sent, and between signs of life.
_TIMEOUT = 20.0
_BEAT_EVERY = 10.0


class Page:
    """Queue for one page: a slow reader holds one burst of changes and the latest of all else."""

    def __init__(self, user: int) -> None:
        self.user = user
        self._files = Burst()
        self._latest: dict[str, bytes] = {}
        self._last: bytes | None = None
        self._wake = asyncio.Event()

    @property
    def is_over(self) -> bool:
        return self._last is not None

    def changed(self, burst: Burst) -> None:
        self._files.join(burst)
        self._wake.set()

    def show(self, name: str, said: bytes) -> None:
        """Have the latest of a kind told; what waited of that kind is forgotten."""
        self._latest[name] = said
        self._wake.set()

    def end(self, reason: str) -> None:
        """Say why, and be over. Of several reasons the first counts."""
        if not self.is_over:
            self._last = sse.message("end", {"reason": reason})
            self._wake.set()

    async def tell(self, receive: Receive, send: Send, forbidden: asyncio.Event) -> None:
        """Send what there is to say, until it is over, is no more allowed, or the page has gone."""
        leaving = asyncio.create_task(self._until_left(receive))
        ending = asyncio.create_task(self._until_forbidden(forbidden))
        try:
            await _send(send, sse.retry(), more=True)
            while not self.is_over:
                try:
                    async with asyncio.timeout(_BEAT_EVERY):
                        await self._wake.wait()
                except TimeoutError:
                    await _send(send, sse.comment(), more=True)
                    continue
                self._wake.clear()
                await _send(send, self._take(), more=True)
            await _send(send, self._last or b"", more=False)
        except TimeoutError:
            self.end("slow")
            logger.info("A page reads too slowly for what happens in its sandbox")
            # The connection is its to close: nothing can be sent on it, not even an end.
            await leaving
        finally:
            leaving.cancel()
            ending.cancel()

    def _take(self) -> bytes:
        latest, self._latest = self._latest, {}
        files, self._files = self._files, Burst()
        said = b"".join(latest.values())
        return said + sse.message("files", files.as_json()) if files else said

    async def _until_left(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.end("left")

    async def _until_forbidden(self, forbidden: asyncio.Event) -> None:
        await forbidden.wait()
        self.end("over")


async def _send(send: Send, said: bytes, *, more: bool) -> None:
    async with asyncio.timeout(_TIMEOUT):
        await send({"type": "http.response.body", "body": said, "more_body": more})
