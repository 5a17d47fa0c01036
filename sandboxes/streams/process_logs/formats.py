"""Formats of a process's output: lines of text, or JSON with places to come back to."""

import codecs
import json
from collections.abc import AsyncIterator
from typing import Any

from sandboxes.data_plane.process_output import STREAMS, Output

# Bytes after which a line is passed on although it has not ended.
_MAX_LINE_LENGTH = 2**16


async def as_events(output: AsyncIterator[Output], known: int) -> AsyncIterator[bytes]:
    """A JSON object a line, with the position where it ends; the first `known` bytes are left out.

    Positions count the bytes of all streams together, those that are no longer kept too.
    """
    decoders = {each: codecs.getincrementaldecoder("utf-8")("replace") for each in STREAMS}
    position = 0
    async for piece in output:
        if piece.is_gap:
            seen = max(position, known) if piece.size is not None else position
            position += piece.size or 0
            known = known if piece.size is not None else 0
            if piece.size is None or position > seen:
                size = None if piece.size is None else position - seen
                yield _event(piece.kind, position, bytes=size)
        elif piece.kind in decoders:
            new = piece.data[max(0, known - position) :]
            position += len(piece.data)
            decoder = decoders[piece.kind]
            if new:
                text = decoder.decode(new)
                # The rest of a character that is not whole yet is told of with what follows.
                yield _event(piece.kind, position - len(decoder.getstate()[0]), data=text)
        else:
            yield _event(piece.kind, max(position, known))


def _event(kind: str, position: int, **fields: Any) -> bytes:
    return json.dumps({"type": kind, "position": position, **fields}).encode() + b"\n"


async def as_lines(output: AsyncIterator[Output], known: int) -> AsyncIterator[bytes]:
    """Whole lines, each after the name of its stream; the first `known` of them are left out."""
    rest = {"stdout": b"", "stderr": b""}
    count = 0
    async for piece in output:
        if piece.is_gap:
            seen = max(count, known)
            count += piece.lines or 0
            known = known if piece.lines is not None else 0
            rest = dict.fromkeys(rest, b"")
            if piece.lines is None:
                yield b"[truncated]\n"
            elif count > seen:
                yield f"[truncated] {count - seen} lines\n".encode()
        elif piece.kind in STREAMS:
            stream = "stderr" if piece.kind == "stderr" else "stdout"
            *whole, rest[stream] = _split(rest[stream] + piece.data)
            new = whole[max(0, known - count) :]
            count += len(whole)
            yield b"".join(b"%s:%s\n" % (stream.encode(), line) for line in new)
        else:
            yield b"[keepalive]\n"
    for stream, line in rest.items():
        if line and count >= known:
            yield b"%s:%s\n" % (stream.encode(), line)
        count += bool(line)


def _split(text: bytes) -> list[bytes]:
    """The lines of a text and its rest; a rest that is too long is divided between characters."""
    *whole, rest = text.split(b"\n")
    while len(rest) > _MAX_LINE_LENGTH:
        end = _MAX_LINE_LENGTH
        while end > _MAX_LINE_LENGTH - 4 and rest[end] & 0xC0 == 0x80:
            end -= 1
        whole.append(rest[:end])
        rest = rest[end:]
    return [*whole, rest]
