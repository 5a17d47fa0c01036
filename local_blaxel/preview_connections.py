"""Open requests and connections of previews, which end when the right to them does."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class AccessEnded(Exception):
    """The token has expired or was revoked, or the preview has changed or gone."""


class PreviewConnections:
    def __init__(self) -> None:
        # Each with the preview, and the token that opened a private one.
        self._open: dict[asyncio.Timeout, tuple[str, str | None]] = {}

    @asynccontextmanager
    async def until(self, ends_at: float, preview: str, token: str | None) -> AsyncIterator[None]:
        """Break off with AccessEnded at that moment, or when `end` says so."""
        limit = asyncio.timeout(ends_at - time.time())
        try:
            async with limit:
                self._open[limit] = (preview, token)
                yield
        except TimeoutError as exc:
            if not limit.expired():
                raise
            raise AccessEnded from exc
        finally:
            self._open.pop(limit, None)

    def end(self, preview: str, token: str | None = None) -> None:
        """Break off what came through that preview; with a token, what came by that one."""
        now = asyncio.get_running_loop().time()
        for limit, (its_preview, its_token) in self._open.items():
            is_meant = its_preview == preview and token in (None, its_token)
            if is_meant and not limit.expired():
                limit.reschedule(now)
