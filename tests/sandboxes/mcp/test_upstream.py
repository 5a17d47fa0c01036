"""Answers of a sandbox's MCP, none of which may harm anybody else."""

import asyncio
import gzip
import json
import re
from contextlib import closing, suppress

import pytest

from sandboxes.mcp import upstream
from sandboxes.mcp.truncation import truncated
from sandboxes.models.reach import TOKEN, Reach, is_refused

RESULT = b'{"jsonrpc": "2.0", "id": 1, "result": {"ok": true}}'
STREAM = {"Content_Type": "text/event-stream"}
PROGRESS = b'data: {"method": "notifications/progress", "params": {}}\n\n'


def ask(reach, heard=None, params=None):
    async def hear(message):
        if heard is not None:
            heard.append(message)

    async def asked():
        async with upstream.new_client() as http:
            return await upstream.ask(http, reach, "tools/call", params or {}, hear)

    return asyncio.run(asked())


def endless(hostile, piece, **headers):
    def answer(handler):
        hostile.say(b"", **headers)(handler)
        while not hostile.over.is_set():
            handler.wfile.write(piece)

    return answer


@pytest.mark.parametrize("headers", [{}, STREAM], ids=["json", "stream"])
@pytest.mark.parametrize("piece", [b"x" * 2**16, b"\n" * 2**16, PROGRESS * 999])
def test_no_answer_is_read_without_end(hostile, headers, piece):
    hostile.answer = endless(hostile, piece, **headers)

    with pytest.raises(upstream.Unreachable):
        ask(hostile.reach)


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b"7", b"null", b'{"result": 7}', b"data: 7\n\n", b"data: [1]\n\n"]
)
@pytest.mark.parametrize("headers", [{}, STREAM], ids=["json", "stream"])
def test_an_answer_of_no_sense_is_none(hostile, headers, body):
    hostile.answer = hostile.say(body, **headers)

    with pytest.raises(upstream.Unreachable):
        ask(hostile.reach)


def test_what_is_no_json_is_the_callers_mistake(hostile):
    hostile.answer = hostile.say(RESULT)

    with pytest.raises(upstream.Refused) as refused:
        ask(hostile.reach, params={"arguments": {"limit": float("inf")}})

    assert refused.value.args[0] == -32602


def test_what_is_compressed_is_not_unpacked(hostile):
    hostile.answer = hostile.say(gzip.compress(RESULT), Content_Encoding="gzip")

    with pytest.raises(upstream.Unreachable):
        ask(hostile.reach)


def test_an_answer_is_found_in_a_stream_whatever_its_pieces(hostile):
    large = {"result": {"texts": ["x" * 90_000] * 40}}
    whole = PROGRESS * 2 + b"data: " + json.dumps(large).encode() + b"\n\n"

    def in_pieces(handler):
        hostile.say(b"", **STREAM)(handler)
        for at in range(0, len(whole), 7_001):
            handler.wfile.write(whole[at : at + 7_001])

    heard = []
    hostile.answer = in_pieces

    assert ask(hostile.reach, heard) == large["result"]
    assert len(heard) == 2


def test_an_answer_of_many_values_is_not_read(hostile):
    hostile.answer = hostile.say(b'{"result": {"content": [' + b"[]," * 200_000 + b"[]]}}")

    with pytest.raises(upstream.Refused, match="too many values"):
        ask(hostile.reach)


def test_a_long_text_of_commas_is_one_value(hostile):
    hostile.answer = hostile.say(json.dumps({"result": {"text": "a," * 10**6}}).encode())

    assert ask(hostile.reach)["text"].startswith("a,a,")


def test_what_is_nested_without_end_is_cut():
    value = "deep"
    for _ in range(900):
        value = [value]

    assert "nested too deeply" in str(truncated({"content": value}))


def test_no_sandbox_gives_the_others_a_cookie(hostile):
    came = []

    def answer(handler):
        came.append(handler.headers.get("Cookie"))
        hostile.say(RESULT, Set_Cookie="planted=1; Path=/; Max-Age=999")(handler)

    async def ask_twice():
        async with upstream.new_client() as http:
            for _ in range(2):
                await upstream.ask(http, hostile.reach, "tools/list", {}, lambda message: None)

    hostile.answer = answer
    asyncio.run(ask_twice())

    assert came == [None, None]


def serving(came, answers):
    """A server that notes its connections and what opens each call, and answers in turn."""

    async def serve(reader, writer):
        connection = object()
        with closing(writer), suppress(asyncio.IncompleteReadError, ConnectionError):
            while asked := await reader.readuntil(b"\r\n\r\n"):
                length = re.search(rb"content-length: (\d+)", asked.lower())[1]
                await reader.readexactly(int(length))
                heads = dict(line.split(b": ", 1) for line in asked.splitlines() if b": " in line)
                token = heads.get(TOKEN.encode(), heads.get(TOKEN.lower().encode()))
                session = re.findall(rb"(?im)^(?:mcp-session-id|cookie): .*", asked)
                came.append((connection, token, session))
                status, body = answers[len(came) - 1]
                head = f"HTTP/1.1 {status} X\r\nMcp-Session-Id: of-alice\r\n"
                head += f"Set-Cookie: of=alice\r\nContent-Length: {len(body)}\r\n\r\n"
                writer.write(head.encode() + body)

    return serve


def test_nothing_of_a_call_is_left_to_the_next_persons_on_the_same_connection():
    """Alice's, Bob's, and Alice's after her sandbox was made again: the address is the same."""
    came, results = [], []
    say = [(200, b'{"result": {"for": "%s"}}' % name) for name in (b"alice", b"bob")]

    async def ask_all():
        serve = serving(came, [*say, (401, b"{}")])
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            async with upstream.new_client() as http:
                for token in ("alices", "bobs", "alices"):
                    reach = Reach(url, {TOKEN: token})
                    try:
                        found = await upstream.ask(
                            http, reach, "tools/list", {}, lambda message: None
                        )
                    except upstream.Unreachable:
                        found = None
                    results.append(found)

    asyncio.run(ask_all())

    assert len({connection for connection, _, _ in came}) == 1
    assert [token for _, token, _ in came] == [b"alices", b"bobs", b"alices"]
    assert [session for _, _, session in came] == [[]] * 3
    assert results == [{"for": "alice"}, {"for": "bob"}, None]
    assert is_refused("alices")


def test_one_connection_is_used_for_one_call_after_the_other():
    connections = []
    data = b"data: " + RESULT + b"\n\n"
    head = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    )

    async def serve(reader, writer):
        connections.append(asyncio.current_task())
        with closing(writer), suppress(asyncio.IncompleteReadError):
            while asked := await reader.readuntil(b"\r\n\r\n"):
                length = re.search(rb"content-length: (\d+)", asked.lower())[1]
                await reader.readexactly(int(length))
                writer.write(head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data))

    async def ask_thrice():
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            reach = Reach(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            async with upstream.new_client() as http:
                for _ in range(3):
                    await upstream.ask(http, reach, "tools/list", {}, lambda message: None)
            await asyncio.gather(*connections)

    asyncio.run(ask_thrice())

    assert len(connections) == 1
