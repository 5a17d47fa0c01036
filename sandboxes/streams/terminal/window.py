"""Flow control: limit what a page was sent and has not shown yet."""

import asyncio
from collections import deque

# In characters. What is under way is what a Ctrl-C has to wait for.
SIZE = 256 * 1024


class Window:
    """Counts what a page has not yet shown, because a browser keeps whatever it is sent."""

    def __init__(self) -> None:
        self._sent: deque[int] = deque()
        self._total = 0
        self._has_room = asyncio.Event()
        self._has_room.set()

    async def room(self) -> None:
        await self._has_room.wait()

    def sent(self, size: int) -> None:
        self._sent.append(size)
        self._total += size
        if self._total >= SIZE:
            self._has_room.clear()

    def shown(self, messages: int) -> None:
        """Note that the page has shown this many of the oldest messages."""
        for _ in range(min(messages, len(self._sent))):
            self._total -= self._sent.popleft()
        if self._total < SIZE:
            self._has_room.set()
