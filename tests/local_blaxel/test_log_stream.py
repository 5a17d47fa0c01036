"""``logs/stream``: every byte with its source, and what is no longer kept."""

import json
from contextlib import closing

import pytest

from local_blaxel.agent import log_stream
from local_blaxel.agent.output import Output
from tests.support.growth import BOUND, MORE, growth

NDJSON = {"accept": "application/x-ndjson"}


@pytest.fixture
def name(request):
    return f"log-{abs(hash(request.node.name))}"


def read(answer):
    return [json.loads(line) for line in answer.text.splitlines()]


async def events_of(output):
    return [
        json.loads(line) async for said in log_stream.events(output) for line in said.splitlines()
    ]


async def text_of(output):
    return b"".join([said async for said in log_stream.lines(output)]).decode()


@pytest.fixture
def output():
    with closing(Output()) as output:
        yield output


@pytest.fixture
def rotated(output):
    """An output that has kept the newest of 10,000 lines."""
    output.keep(2**16)
    for number in range(10_000):
        output.write("stdout", f"line-{number}\n".encode())
    output.complete()
    return output


def test_an_unfinished_line_is_told_while_its_process_waits(agent, name):
    agent.execute("printf 'name? '; sleep 30", name=name)

    with agent.stream("GET", f"/process/{name}/logs/stream", headers=NDJSON) as answer:
        said = (json.loads(line) for line in answer.iter_lines())
        first = next(each for each in said if each["type"] != "keepalive")

    assert answer.headers["content-type"] == "application/x-ndjson"
    assert first == {"type": "stdout", "data": "name? "}
    agent.delete(f"/process/{name}/kill")


def test_a_silent_process_is_answered_at_once(agent, name):
    agent.execute("sleep 30", name=name)

    with agent.stream("GET", f"/process/{name}/logs/stream", headers=NDJSON) as answer:
        assert json.loads(next(answer.iter_lines())) == {"type": "keepalive"}
    agent.delete(f"/process/{name}/kill")


def test_what_is_no_text_is_told_byte_for_byte(agent, name):
    agent.run(r"printf '\377\376\n'", name=name)

    (event,) = read(agent.get(f"/process/{name}/logs/stream", headers=NDJSON))

    assert event == {"type": "stdout", "encoding": "base64", "data": "//4K"}


@pytest.mark.exhaustive
def test_the_notice_of_a_restart_is_no_output(agent, name):
    again = {"restartOnFailure": True, "maxRestarts": 1, "waitForCompletion": True}
    agent.execute("echo tried; exit 3", name=name, **again)

    said = read(agent.get(f"/process/{name}/logs/stream", headers=NDJSON))

    assert [each["type"] for each in said] == ["stdout", "restart", "stdout"]
    assert "exit code 3" in said[1]["data"]
    assert "exit code 3" in agent.get(f"/process/{name}").json()["stdout"]


async def test_what_was_rotated_away_is_told_first_and_whole_lines_follow(rotated):
    lost, *said = await events_of(rotated)

    text = "".join(each["data"] for each in said)
    assert lost["type"] == "truncated"
    assert lost["lines"] + text.count("\n") == 10_000
    assert lost["bytes"] + len(text) == sum(len(f"line-{number}\n") for number in range(10_000))
    assert text.startswith(f"line-{lost['lines']}\n")
    assert text.endswith("line-9999\n")


async def test_a_reader_that_is_overtaken_is_told_what_it_missed(output):
    output.keep(2**16)
    output.write("stdout", b"first\nsec")
    following = log_stream.events(output)
    said = [await anext(following)]

    for number in range(10_000):
        output.write("stdout", f"line-{number}\n".encode())
    output.complete()
    said += [each async for each in following]

    first, lost, *others = [json.loads(line) for each in said for line in each.splitlines()]
    text = "".join(each["data"] for each in others)
    assert (first["data"], lost["type"]) == ("first\nsec", "truncated")
    assert lost["lines"] + text.count("\n") == 10_000
    assert text.startswith(f"line-{lost['lines']}\n")


async def test_text_goes_on_with_a_whole_line(rotated):
    lines = (await text_of(rotated)).splitlines()

    first = int(lines[0].removeprefix("stdout:line-"))
    assert lines == [f"stdout:line-{number}" for number in range(first, 10_000)]


async def test_streams_that_take_turns_keep_their_lines_apart(output):
    for stream, said in (
        ("stdout", b"on"),
        ("stderr", b"er"),
        ("stdout", b"e\n"),
        ("stderr", b"r"),
    ):
        output.write(stream, said)
    output.complete()

    assert await text_of(output) == "stdout:one\nstderr:err\n"
    assert [each["data"] for each in await events_of(output)] == ["on", "er", "e\n", "r"]


@pytest.mark.parametrize("shift", [0, 1, 2])
async def test_a_long_line_is_divided_between_characters(output, shift):
    output.write("stdout", b"x" * shift + "€".encode() * 100_000)
    output.complete()

    text = await text_of(output)

    assert "\ufffd" not in text
    assert text.replace("stdout:", "").replace("\n", "") == "x" * shift + "€" * 100_000


def test_the_end_of_an_output_begins_with_a_whole_character(agent, name):
    agent.run("python3 -c \"print('x' + '€' * 100000, end='')\"", name=name)

    process = agent.get(f"/process/{name}").json()

    assert set(process["stdout"]) == {"€"}
    assert set(process["logs"]) == {"€"}


def test_reading_many_small_pieces_costs_no_more_than_their_length():
    def work(size):
        with closing(Output()) as output:
            for number in range(size):
                output.write(("stdout", "stderr")[number % 2], b"x\n")
            output.records.read(0)

    assert growth(work, 500, MORE * 500) < BOUND
