"""What a process wrote: bounded on disk, readable from any point, followable while it grows."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from tempfile import SpooledTemporaryFile

# A stream keeps its newest bytes: two halves, the older of which is dropped whole.
STREAM_LIMIT = 32 * 2**20
IN_MEMORY = 8 * 2**10
READ_SIZE = 2**18
LONGEST_LINE = 2**16
KEEPALIVE_SECONDS = 30.0


class Log:
    """The last bytes of one stream. Positions count from the first byte ever written."""

    def __init__(self) -> None:
        self._older: SpooledTemporaryFile[bytes] | None = None
        self._newer = _open()
        self._start = 0
        self._split = 0
        self.end = 0
        self.limit = STREAM_LIMIT

    def write(self, data: bytes) -> None:
        if self.end - self._split >= self.limit // 2:
            self._rotate()
        # A full disk costs output, not the process that wrote it.
        with contextlib.suppress(OSError):
            self._newer.seek(self.end - self._split)
            self.end += self._newer.write(data)

    @property
    def size(self) -> int:
        """What it keeps."""
        return self.end - self._start

    def _rotate(self) -> None:
        self._start = self._split if self._older is not None else self._start
        self._older, self._newer = self._newer, _open()
        self._split = self.end

    def read(self, position: int, size: int = READ_SIZE) -> tuple[int, bytes]:
        """Up to `size` bytes from `position`, or from the oldest byte kept, and where they end."""
        position = max(position, self._start)
        if position < self._split and self._older is not None:
            half, offset = self._older, position - self._start
            size = min(size, self._split - position)
        else:
            half, offset = self._newer, position - self._split
        half.seek(offset)
        data = half.read(size)
        return position + len(data), data

    def tail(self, size: int) -> bytes:
        position, parts = self.end - size, []
        while (read := self.read(position))[1]:
            position = read[0]
            parts.append(read[1])
        return b"".join(parts)


def _open() -> SpooledTemporaryFile[bytes]:
    """Unbuffered, so that a write that fails does so at once; closed when nobody refers to it."""
    return SpooledTemporaryFile(IN_MEMORY, buffering=0)


class Output:
    """The streams of one process, and the line-by-line form that ``logs/stream`` sends."""

    def __init__(self) -> None:
        self.stdout, self.stderr, self.logs, self.lines = Log(), Log(), Log(), Log()
        self.is_complete = False
        self._partial = {"stdout": b"", "stderr": b""}
        self._waiters: set[asyncio.Future[None]] = set()

    @property
    def size(self) -> int:
        return sum(log.size for log in self._all())

    def keep(self, size: int) -> None:
        """Keep about so many bytes of all streams together from the next ones on."""
        for log in self._all():
            log.limit = min(size // 4, STREAM_LIMIT)

    def _all(self) -> tuple[Log, ...]:
        return self.stdout, self.stderr, self.logs, self.lines

    def write(self, stream: str, data: bytes) -> None:
        (self.stdout if stream == "stdout" else self.stderr).write(data)
        self.logs.write(data)
        whole, newline, rest = (self._partial[stream] + data).rpartition(b"\n")
        if newline:
            self._write_lines(stream, whole)
        if len(rest) > LONGEST_LINE:
            self._write_lines(stream, rest)
            rest = b""
        self._partial[stream] = rest
        self._wake()

    def complete(self) -> None:
        """Nothing more will come."""
        for stream, rest in self._partial.items():
            if rest:
                self._write_lines(stream, rest)
        self._partial = dict.fromkeys(self._partial, b"")
        self.is_complete = True
        self._wake()

    def _write_lines(self, stream: str, lines: bytes) -> None:
        prefix = f"{stream}:".encode()
        self.lines.write(prefix + lines.replace(b"\n", b"\n" + prefix) + b"\n")

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

    async def follow_lines(self) -> AsyncIterator[bytes]:
        """Every line so far, then each as it comes, each with its stream's prefix."""
        position = 0
        while True:
            position, data = self.lines.read(position)
            if data:
                yield data
            elif self.is_complete:
                return
            elif not await self.changed(KEEPALIVE_SECONDS):
                yield b"[keepalive]\n"
