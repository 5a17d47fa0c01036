"""Output of a process, from servers that know of JSON, of lines only, or of neither."""

import asyncio
import json

import pytest

from sandboxes import errors
from sandboxes.data_plane.async_client import close_streaming_client
from sandboxes.data_plane.process_output import NDJSON, output_of

TEXT = b"stdout:one\nstderr:two\n[keepalive]\nstdout:three \xe2\x82\xac\n"


@pytest.fixture
def read(hostile):
    """Read what a process says, as [(kind, data)]."""

    async def reading():
        async with output_of(hostile.reach, "job") as output:
            found = [(piece.kind, piece.data) async for piece in output]
        await close_streaming_client()
        return found

    return lambda: asyncio.run(reading())


def said(hostile, *events):
    text = "".join(json.dumps(event) + "\n" for event in events)
    return hostile.say(text.encode(), Content_Type=NDJSON)


def test_pieces_are_read_with_their_bytes(read, hostile):
    hostile.answer = said(
        hostile,
        {"type": "stdout", "data": "é\n"},
        {"type": "stderr", "encoding": "base64", "data": "//4="},
        {"type": "restart", "data": "again"},
        {"type": "truncated", "data": "some is gone"},
        {"type": "from the future"},
    )

    assert read() == [
        ("stdout", "é\n".encode()),
        ("stderr", b"\xff\xfe"),
        ("restart", b"again"),
        ("truncated", b""),
        ("keepalive", b""),
    ]


@pytest.mark.parametrize("status", [200, 409])
def test_a_server_that_knows_only_of_lines_is_understood(read, hostile, status):
    """One that is older answers with lines, and one whose process is older refuses JSON."""

    def answer(handler):
        is_refused = status == 409 and handler.headers["Accept"] == NDJSON
        handler.send_response(409 if is_refused else 200)
        handler.send_header("Content-Type", "text/plain; charset=utf-8")
        handler.end_headers()
        handler.wfile.write(b"" if is_refused else TEXT)

    hostile.answer = answer

    assert read() == [
        ("stdout", b"one\n"),
        ("stderr", b"two\n"),
        ("keepalive", b""),
        ("stdout", "three €\n".encode()),
    ]


@pytest.mark.parametrize(
    "line", ["{", "[]", "7", '{"type": "stdout", "encoding": "base64", "data": "a"}']
)
def test_what_makes_no_sense_is_an_error_of_the_sandboxs(read, hostile, line):
    hostile.answer = hostile.say(f"{line}\n".encode(), Content_Type=NDJSON)

    with pytest.raises(errors.ProviderUnavailable):
        read()
