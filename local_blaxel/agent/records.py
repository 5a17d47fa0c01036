"""Output of a process on both streams, in the order in which it was read, as records in a log."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

from .logs import READ_SIZE, Log

STREAMS = ("stdout", "stderr", "restart")
MAX_LENGTH = 2**16
# Stream, whether a line begins, length, and how many bytes and lines were written before.
_HEADER = struct.Struct(">B?IQQ")


@dataclass(frozen=True)
class Record:
    stream: str
    begins_line: bool
    position: int
    line: int
    data: bytes

    @property
    def end(self) -> int:
        return self.position + len(self.data)

    @property
    def end_line(self) -> int:
        return self.line + self.data.count(b"\n")

    def from_next_line(self) -> Record:
        """The whole lines of one that begins within a line; itself when it has none."""
        rest = self.data[self.data.find(b"\n") + 1 :]
        if self.begins_line or not rest or len(rest) == len(self.data):
            return self
        position = self.end - len(rest)
        return Record(self.stream, True, position, self.line + 1, rest)


class Records:
    """Keeps the newest records and their positions, so that late readers know what is lost."""

    def __init__(self) -> None:
        self.log = Log()
        self._position = self._line = 0
        self._begins_line = dict.fromkeys(STREAMS, True)

    def write(self, stream: str, data: bytes) -> None:
        for start in range(0, len(data), MAX_LENGTH):
            self._write(stream, data[start : start + MAX_LENGTH])

    def _write(self, stream: str, data: bytes) -> None:
        begins = self._begins_line[stream]
        number = STREAMS.index(stream)
        header = _HEADER.pack(number, begins, len(data), self._position, self._line)
        self.log.write(header + data)
        self._position += len(data)
        self._line += data.count(b"\n")
        self._begins_line[stream] = data.endswith(b"\n")

    def read(self, offset: int) -> tuple[int, list[Record]]:
        """The next ones from an offset in the log, or from the oldest kept, and where they end."""
        end, data = self.log.read(offset, READ_SIZE)
        found: list[tuple[Record, list[bytes]]] = []
        used = size = 0
        while len(data) - used >= _HEADER.size:
            number, begins, length, position, line = _HEADER.unpack_from(data, used)
            start = used + _HEADER.size
            if start + length > len(data):
                break
            used = start + length
            # Many small ones of a stream are one.
            if not found or found[-1][0].stream != STREAMS[number] or size > MAX_LENGTH:
                found.append((Record(STREAMS[number], begins, position, line, b""), []))
                size = 0
            found[-1][1].append(data[start:used])
            size += length
        records = [replace(first, data=b"".join(parts)) for first, parts in found]
        return end - len(data) + used, records
