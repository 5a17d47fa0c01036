"""Formats of a process's output, which is taken up again where it was left."""

import json

import pytest

from sandboxes.data_plane.process_output import Output
from sandboxes.streams.process_logs.formats import as_events, as_lines

SAID = [
    Output("stdout", b"one\ntw"),
    Output("stderr", b"err\n"),
    Output("keepalive"),
    Output("stdout", b"o\nthree"),
]
# 100 bytes in 10 lines were there before.
ROTATED = [Output("truncated", size=100, lines=10), *SAID]
UNKNOWN = [Output("truncated"), *SAID]


async def given(pieces):
    for piece in pieces:
        yield piece


async def events(pieces, known=0):
    return [json.loads(each) async for each in as_events(given(pieces), known)]


async def lines(pieces, known=0):
    text = b"".join([each async for each in as_lines(given(pieces), known)]).decode()
    return [each for each in text.splitlines() if each != "[keepalive]"]


async def test_each_piece_says_where_it_ends():
    said = await events(SAID)

    assert [(each["type"], each.get("data"), each["position"]) for each in said] == [
        ("stdout", "one\ntw", 6),
        ("stderr", "err\n", 10),
        ("keepalive", None, 10),
        ("stdout", "o\nthree", 17),
    ]


@pytest.mark.parametrize("known", range(18))
async def test_from_any_position_the_rest_is_told(known):
    whole = b"one\ntwerr\no\nthree"

    said = await events(SAID, known)

    assert "".join(each.get("data", "") for each in said).encode() == whole[known:]
    assert said[-1]["position"] == 17


@pytest.mark.parametrize(("known", "lost"), [(0, 100), (40, 60), (99, 1), (100, None), (104, None)])
async def test_only_what_was_not_read_before_is_missed(known, lost):
    said = await events(ROTATED, known)

    missed = [each["bytes"] for each in said if each["type"] == "truncated"]
    assert missed == ([lost] if lost else [])
    assert said[-1]["position"] == 117


async def test_where_nobody_knows_what_is_lost_all_that_is_kept_is_told():
    said = await events(UNKNOWN, 15)

    assert (said[0]["type"], said[0]["bytes"]) == ("truncated", None)
    assert [each["data"] for each in said if "data" in each] == ["one\ntw", "err\n", "o\nthree"]


async def test_a_character_in_two_pieces_is_one_and_told_of_when_it_is_whole():
    first, second = await events([Output("stdout", b"a\xe2\x82"), Output("stdout", b"\xacb")])

    assert (first["data"], first["position"]) == ("a", 1)
    assert (second["data"], second["position"]) == ("€b", 5)


@pytest.mark.parametrize(
    ("known", "told"),
    [
        (0, ["stdout:one", "stderr:err", "stdout:two", "stdout:three"]),
        (1, ["stderr:err", "stdout:two", "stdout:three"]),
        (3, ["stdout:three"]),
        (4, []),
    ],
)
async def test_lines_are_whole_and_those_that_are_known_left_out(known, told):
    assert await lines(SAID, known) == told


@pytest.mark.parametrize(
    ("known", "told"),
    [
        (0, ["[truncated] 10 lines", "stdout:one"]),
        (4, ["[truncated] 6 lines", "stdout:one"]),
        (10, ["stdout:one", "stderr:err"]),
        (11, ["stderr:err", "stdout:two"]),
    ],
)
async def test_lines_that_are_no_longer_kept_are_counted(known, told):
    assert (await lines(ROTATED, known))[:2] == told


async def test_a_line_without_end_is_divided_between_characters():
    told = await lines([Output("stdout", "é€".encode() * 50_000)])

    assert "\ufffd" not in "".join(told)
    assert "".join(each.removeprefix("stdout:") for each in told) == "é€" * 50_000
