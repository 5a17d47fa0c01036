"""``logs/stream``: the output so far, then what comes, as lines of text or as JSON."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from .output import Output
from .records import Record

KEEPALIVE_SECONDS = 30.0
MAX_LINE_LENGTH = 2**16


@dataclass(frozen=True)
class _Lost:
    """A gap before a record: what came there is no longer kept."""

    size: int
    lines: int
    is_beginning: bool

    def __str__(self) -> str:
        where = "The beginning of the log" if self.is_beginning else "A part of the log"
        return f"{where} is no longer kept: {self.lines} lines, {self.size} bytes."


async def lines(output: Output) -> AsyncIterator[bytes]:
    """Whole lines, each after the name of its stream, until the process has ended."""
    writers = {"stdout": _Lines(b"stdout:"), "stderr": _Lines(b"stderr:")}
    async for found in _follow(output):
        said = [] if found else [b"[keepalive]\n"]
        for each in found:
            if isinstance(each, _Lost):
                said.extend(writer.rest() for writer in writers.values())
            else:
                said.append(writers[_source(each)].take(each.data))
        if text := b"".join(said):
            yield text
    yield b"".join(writer.rest() for writer in writers.values())


async def events(output: Output) -> AsyncIterator[bytes]:
    """JSON objects: pieces of any length with their source, and what is no longer kept."""
    async for found in _follow(output, at_once=True):
        yield b"".join(map(_event, found)) if found else _json("keepalive")


async def _follow(output: Output, *, at_once: bool = False) -> AsyncIterator[list[Record | _Lost]]:
    """Records as they come, and none after a silence; `at_once` also where it begins with one."""
    offset, is_silent = 0, at_once
    position = line = 0
    while True:
        offset, records = output.records.read(offset)
        found: list[Record | _Lost] = []
        for each in records:
            record = each
            if each.position > position:
                record = each.from_next_line()
                lost = record.position - position, record.line - line
                found.append(_Lost(*lost, is_beginning=not position))
            found.append(record)
            position, line = record.end, record.end_line
        if found:
            is_silent = False
            yield found
        elif output.is_complete:
            return
        else:
            if is_silent:
                yield []
            is_silent = not await output.changed(KEEPALIVE_SECONDS)


def _source(record: Record) -> str:
    """The stream that a text shows it on."""
    return "stderr" if record.stream == "stderr" else "stdout"


def _event(found: Record | _Lost) -> bytes:
    if isinstance(found, _Lost):
        return _json("truncated", data=str(found), bytes=found.size, lines=found.lines)
    try:
        return _json(found.stream, data=found.data.decode())
    except UnicodeDecodeError:
        return _json(found.stream, encoding="base64", data=base64.b64encode(found.data).decode())


def _json(kind: str, **fields: str | int) -> bytes:
    return json.dumps({"type": kind} | fields).encode() + b"\n"


class _Lines:
    """Puts the lines of one stream together."""

    def __init__(self, prefix: bytes) -> None:
        self._prefix = prefix
        self._rest = bytearray()

    def take(self, data: bytes) -> bytes:
        """The lines that this completes; of one that is too long, as much as there is of it."""
        self._rest += data
        if b"\n" not in data and len(self._rest) <= MAX_LINE_LENGTH:
            return b""
        *whole, rest = bytes(self._rest).split(b"\n")
        while len(rest) > MAX_LINE_LENGTH:
            end = _end_of_character(rest, MAX_LINE_LENGTH)
            whole.append(rest[:end])
            rest = rest[end:]
        self._rest = bytearray(rest)
        return self._text(whole)

    def rest(self) -> bytes:
        rest, self._rest = bytes(self._rest), bytearray()
        return self._text([rest]) if rest else b""

    def _text(self, whole: list[bytes]) -> bytes:
        return b"".join(_joined(self._prefix, whole))


def _joined(prefix: bytes, whole: list[bytes]) -> Iterator[bytes]:
    for line in whole:
        yield prefix
        yield line
        yield b"\n"


def _end_of_character(text: bytes, end: int) -> int:
    """The place for a cut near there, where no character of UTF-8 is cut in two."""
    start = end
    while start > end - 4 and text[start] & 0xC0 == 0x80:
        start -= 1
    return start if text[start] & 0xC0 != 0x80 else end
