"""Answers that a hostile sandbox gives: without end, compressed, or of no sense."""

import asyncio
import gzip
import json
from contextlib import suppress

import pytest

from operations.doctor.mcp_probe import mcp_tools
from sandboxes import data_plane, errors
from sandboxes.data_plane import bounded, files, process_output, process_records, subscriptions
from sandboxes.data_plane.async_client import close_streaming_client
from tests.support.growth import BOUND, MORE, growth

CALLS = {
    "list a folder": lambda reach: files.read(reach, "/x", 10),
    "find names": lambda reach: files.find(reach, "/x", "file", "*", hidden=True),
    "search in files": lambda reach: files.search_contents(reach, "/x", "a", 10),
    "read a file": lambda reach: data_plane.files.read_file(reach, "/x"),
    "write a file": lambda reach: files.write(reach, "/x", b"x"),
    "list processes": data_plane.processes.list_processes,
    "find a process": lambda reach: data_plane.processes.find_process(reach, "x"),
    "start a process": lambda reach: data_plane.processes.why_not_started(reach, {"command": "x"}),
    "run a command": lambda reach: data_plane.processes.run(reach, "x", 1),
    "run a script": lambda reach: data_plane.processes.run_script(reach, "x", {}, 1),
    "say what listens": data_plane.listening.list_listening,
    "list tools": mcp_tools,
}


@pytest.fixture(params=CALLS.values(), ids=CALLS)
def call(request, hostile):
    return lambda: request.param(hostile.reach)


def test_no_answer_is_read_without_end(call, hostile):
    hostile.answer = hostile.without_end

    with pytest.raises(errors.ProviderUnavailable):
        call()
    # With what the system takes before it is read.
    assert hostile.sent < 64 * 2**20


@pytest.mark.exhaustive
def test_what_is_compressed_is_not_unpacked(call, hostile):
    packed = gzip.compress(bytes(100 * 2**20))
    hostile.answer = hostile.say(packed, Content_Encoding="gzip")

    with pytest.raises(errors.ProviderUnavailable, match="too long"):
        call()


# Of the others the answer is not read.
READ = CALLS.keys() - {"write a file", "start a process"}


@pytest.mark.parametrize("name", sorted(READ))
def test_an_answer_of_many_values_is_not_read(name, hostile):
    hostile.answer = hostile.say(b'{"files": [' + b"[]," * 1_200_000 + b"[]]}")

    with pytest.raises(errors.ProviderUnavailable, match="too long"):
        CALLS[name](hostile.reach)


SENSELESS = [
    b"",
    b"\xff",
    b"[" * 100_000,
    b"7",
    b'{"files": [{"name": 1}, 2], "subdirectories": [{}, 7]}',
    b'{"matches": [{}, 3]}',
    b'{"exitCode": "x"}',
    b'{"result": 1}',
]


@pytest.mark.parametrize("body", SENSELESS, ids=range(len(SENSELESS)))
def test_an_answer_of_no_sense_is_an_error_of_the_sandbox(call, hostile, body):
    hostile.answer = hostile.say(body)

    try:
        call()
    except errors.SandboxError:
        return


def follow(work):
    async def followed():
        try:
            return await work
        finally:
            await close_streaming_client()

    return asyncio.run(followed())


def giving_a_cookie(hostile, body=b"{}", **headers):
    """Have each answer set a cookie, and return the cookies that come with what is asked."""
    came = []

    def answer(handler):
        came.append(handler.headers.get("Cookie"))
        hostile.say(body, Set_Cookie="planted=1; Path=/; Max-Age=999", **headers)(handler)

    hostile.answer = answer
    return came


def test_no_sandbox_gives_the_others_a_cookie(call, hostile):
    came = giving_a_cookie(hostile)

    for _ in range(2):
        with suppress(errors.SandboxError):
            call()

    assert len(came) >= 2
    assert set(came) == {None}


def test_no_sandbox_that_is_followed_gives_the_others_a_cookie(hostile):
    came = giving_a_cookie(hostile, b"[]")

    async def twice():
        for _ in range(2):
            await subscriptions.processes_of(hostile.reach)

    follow(twice())

    assert came == [None, None]


def test_followed_answers_are_read_with_a_limit_too(hostile, monkeypatch):
    monkeypatch.setattr(subscriptions, "_MAX_LOG", {"most": 2**20})
    hostile.answer = hostile.without_end

    with pytest.raises(bounded.AnswerTooLong):
        follow(subscriptions.whole_log(hostile.reach, "x"))
    with pytest.raises(ValueError, match="too long"):
        follow(subscriptions.processes_of(hostile.reach))


class Told:
    """An answer of a sandbox, in small pieces."""

    def __init__(self, text):
        self._text = text

    async def aiter_bytes(self):
        for at in range(0, len(self._text), 64):
            yield self._text[at : at + 64]


async def lines_of(text):
    return [each async for each in subscriptions.lines(Told(text), longest=2**24)]


def test_a_long_line_in_small_pieces_costs_no_more_than_its_length():
    def work(size):
        asyncio.run(lines_of(b"x" * size))

    assert growth(work, 2**19, MORE * 2**19) < BOUND


def test_lines_are_whole_wherever_they_are_cut():
    text = "\n".join(["", "a" * 200, "é" * 70, "", "b", "not ended"])

    assert asyncio.run(lines_of(text.encode())) == text.split("\n")[:-1]


def test_a_piece_of_a_log_has_few_values(hostile):
    text = b'{"type": "stdout", "a": [' + b"[]," * 1_000 + b"[]]}\n"
    hostile.answer = hostile.say(text, Content_Type=process_output.NDJSON)

    async def read():
        async with process_output.output_of(hostile.reach, "x") as output:
            return [each async for each in output]

    with pytest.raises(errors.ProviderUnavailable, match="can't be read"):
        follow(read())


def listed(count, output):
    """As a sandbox lists processes, each with the last of its output."""
    return [
        {"name": f"p{each}", "stdout": output, "logs": output, "stderr": "", "command": 'a "b" \\'}
        for each in range(count)
    ]


OUTPUTS = ["", "x", '"', "\\", '\\"', '"stdout": "', "\n\t\x00é🦈" * 99, 'end\\"\\\\']


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100_000])
def test_a_list_is_read_without_output_wherever_it_is_cut(size):
    full = listed(3, "".join(OUTPUTS)) + [listed(1, output)[0] for output in OUTPUTS]
    text = json.dumps(full).encode()
    reader = process_records.ListReader()

    for at in range(0, len(text), size):
        reader.feed(text[at : at + size])

    without = {"stdout": "", "logs": "", "stderr": ""}
    assert reader.processes() == [each | without for each in full]


def test_processes_that_ended_with_much_output_cost_no_memory(hostile):
    text = json.dumps(listed(80, "\x00" * 2**16)).encode()
    hostile.answer = hostile.say(text)
    reader = process_records.ListReader()

    reader.feed(text)

    assert len(text) > 60 * 2**20 and len(reader._kept) < 2**16
    assert len(data_plane.processes.list_processes(hostile.reach)) == 80
