"""Output of a process: each stream, both together, and record by record."""

from __future__ import annotations

import asyncio

from .logs import STREAM_LIMIT, Log
from .records import Records


class Output:
    """The output of one process."""

    def __init__(self) -> None:
        self.stdout, self.stderr, self.logs, self.records = Log(), Log(), Log(), Records()
        self.is_complete = False
        self._waiters: set[asyncio.Future[None]] = set()

    @property
    def size(self) -> int:
        return sum(log.size for log in self._all())

    def keep(self, size: int) -> None:
        """Keep about this many bytes of all streams together from the next ones on."""
        for log in self._all():
            log.limit = min(size // 4, STREAM_LIMIT)

    def _all(self) -> tuple[Log, ...]:
        return self.stdout, self.stderr, self.logs, self.records.log

    def write(self, stream: str, data: bytes) -> None:
        """Add to a stream; a notice of a "restart" is shown as output, and told apart."""
        (self.stderr if stream == "stderr" else self.stdout).write(data)
        self.logs.write(data)
        self.records.write(stream, data)
        self._wake()

    def close(self) -> None:
        for log in self._all():
            log.close()

    def complete(self) -> None:
        """Mark the output as complete."""
        self.is_complete = True
        self._wake()

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()

    async def changed(self, seconds: float) -> bool:
        """Wait for more output or the end; False when `seconds` passed without any."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            async with asyncio.timeout(seconds):
                await waiter
        except TimeoutError:
            return False
        finally:
            self._waiters.discard(waiter)
        return True
