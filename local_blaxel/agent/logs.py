"""The newest bytes of a stream: bounded on disk, and readable from any point while it grows."""

from __future__ import annotations

import contextlib
from tempfile import SpooledTemporaryFile

# A stream keeps its newest bytes: two halves, the older of which is dropped whole.
STREAM_LIMIT = 32 * 2**20
IN_MEMORY = 8 * 2**10
READ_SIZE = 2**18


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
        # A full disk costs output, not the process that wrote it: all of this or nothing.
        with contextlib.suppress(OSError):
            self._newer.seek(self.end - self._split)
            if self._newer.write(data) == len(data):
                self.end += len(data)

    @property
    def size(self) -> int:
        """Return the number of bytes kept."""
        return self.end - self._start

    def close(self) -> None:
        """Close its files; nothing can be written or read any more."""
        for half in filter(None, (self._older, self._newer)):
            half.close()

    def _rotate(self) -> None:
        if self._older is not None:
            self._older.close()
            self._start = self._split
        self._older, self._newer = self._newer, _open()
        self._split = self.end

    def read(self, position: int, size: int = READ_SIZE) -> tuple[int, bytes]:
        """Return up to `size` bytes from `position` or from the oldest kept, and where they end."""
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
    """Open an unbuffered file: a failing write fails at once. It closes when it is not used."""
    return SpooledTemporaryFile(IN_MEMORY, buffering=0)
