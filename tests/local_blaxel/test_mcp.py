"""MCP with real clients: the `mcp` package over HTTP, the SDK's own transport over WebSocket."""

import asyncio
import json
import re
from contextlib import asynccontextmanager

import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamable_http_client
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from local_blaxel.mcp.process_tools import TOOLS
from tests.support.local_blaxel import KEY, new_name
from tests.support.waiting import wait_until

OFFLINE = {
    *("processesList", "processExecute", "processGet", "processGetLogs", "processStop"),
    *("processKill", "fsGetWorkingDirectory", "fsListDirectory", "fsReadFile", "fsWriteFile"),
    *("fsEditFile", "fsDeleteFileOrDirectory", "codegenFileSearch", "codegenCodebaseSearch"),
    *("codegenGrepSearch", "codegenReadFileRange", "codegenListDir", "codegenReapply"),
    "codegenParallelApply",
}
HEADERS = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture(scope="module")
def shared(server):
    """A sandbox for tests that change nothing others look at."""
    made = server.create()
    yield made
    server.http.delete(f"/v0/sandboxes/{made}")


@asynccontextmanager
async def over_http(server, name):
    url = server.url + server.inside(name, "/mcp")
    async with (
        httpx2.AsyncClient(headers=HEADERS, trust_env=False, timeout=90) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        yield client


@asynccontextmanager
async def over_websocket(server, name):
    from blaxel.core.mcp.client import websocket_client

    url = server.url + server.inside(name)
    async with websocket_client(url, HEADERS) as streams, ClientSession(*streams) as session:
        await session.initialize()
        yield session


def socket_of(server, name, query="", **options):
    url = server.url.replace("http", "ws") + server.inside(name) + query
    return connect(url, max_size=None, proxy=None, **options)


def rpc(method, params=None, identity=1):
    return {"jsonrpc": "2.0", "id": identity, "method": method, "params": params}


def tool(name, identity=1, **arguments):
    return rpc("tools/call", {"name": name, "arguments": arguments}, identity)


def post(server, name, message, **options):
    data = message if isinstance(message, bytes) else json.dumps(message).encode()
    return server.http.post(server.inside(name, "/mcp"), content=data, **options)


EITHER = pytest.mark.parametrize("transport", [over_http, over_websocket])


def caller(client):
    """Call a tool that works; its result, which is the same as text and as structure."""

    async def call(tool, **arguments):
        result = await client.call_tool(tool, arguments)
        assert not result.is_error, result.content[0].text
        assert json.loads(result.content[0].text) == result.structured_content
        return result.structured_content

    return call


@EITHER
async def test_a_client_lists_all_tools(server, name, transport):
    async with transport(server, name) as client:
        listed = (await client.list_tools()).tools

    assert {each.name for each in listed} == OFFLINE


@EITHER
async def test_a_client_writes_edits_reads_and_deletes_files(server, name, transport):
    async with transport(server, name) as client:
        call = caller(client)
        home = (await call("fsGetWorkingDirectory"))["path"]
        made = await call("fsWriteFile", path="src/app.py", content="one\ntwo words\nthree\n")
        edited = await call("fsEditFile", path="src/app.py", oldString="two", newString="2")
        read = await call("fsReadFile", path=f"{home}/src/app.py")
        listing = await call("fsListDirectory", path="src")
        deleted = await call("fsDeleteFileOrDirectory", path="src", recursive=True)

    assert made["path"] == f"{home}/src/app.py"
    assert edited["occurrencesReplaced"] == 1
    assert read["content"] == "one\n2 words\nthree\n"
    assert read["name"] == read["path"] == f"{home}/src/app.py"
    assert listing["directory"]["files"][0]["name"] == "app.py"
    assert deleted["path"] == f"{home}/src"


CRLF, MIXED = "one\r\ntwo\r\nthree\r\n", "one\r\ntwo\nthree\r\n"


@pytest.mark.parametrize(
    ("before", "old", "new", "after"),
    [
        (CRLF, "one\ntwo", "1\n2", "1\r\n2\r\nthree\r\n"),
        (CRLF, "two", "2\n2.5", "one\r\n2\r\n2.5\r\nthree\r\n"),
        (CRLF, "\ntwo", "", "one\r\nthree\r\n"),
        (CRLF, "one\r\ntwo", "1\n2", "1\n2\r\nthree\r\n"),
        (MIXED, "one\ntwo\nthree", "1\n2\n3", "1\r\n2\n3\r\n"),
        (MIXED, "one\ntwo\nthree", "0\none\ntwo\nthree", "0\r\none\r\ntwo\nthree\r\n"),
        (MIXED, "one\ntwo\nthree\n", "one\nthree\n", "one\r\nthree\r\n"),
        (MIXED, "one\ntwo\nthree", "one\ntwo\n2.5\nthree", "one\r\ntwo\n2.5\nthree\r\n"),
        (MIXED, "two", "2\n2.5", "one\r\n2\n2.5\nthree\r\n"),
        (MIXED, "three", "3\n3.5", "one\r\ntwo\n3\r\n3.5\r\n"),
        ("x\r\none", "one", "1\n2", "x\r\n1\r\n2"),
        ("one", "one", "1\n2", "1\n2"),
        (MIXED, "two\nthree", "2\n3", "one\r\n2\n3\r\n"),
        ("one\ntwo\n", "one\r\ntwo", "1\r\n2", "1\n2\n"),
        ("one\ntwo\n", "two", "2\r\n", "one\n2\r\n\n"),
        ("a\\1b", "\\1", "\\g<0>", "a\\g<0>b"),
    ],
)
def test_an_edit_finds_lines_however_they_end(server, shared, before, old, new, after):
    path = server.inside(shared, "/filesystem//tmp/ends.txt")
    server.http.put(path, json={"content": before}).raise_for_status()

    call = tool("fsEditFile", path="/tmp/ends.txt", oldString=old, newString=new)
    edited = post(server, shared, call)

    assert edited.json()["result"]["structuredContent"]["occurrencesReplaced"] == 1
    assert server.http.get(path).json()["content"] == after


@pytest.mark.parametrize(
    ("data", "is_error"), [(b"caf\xe9", True), (b"\xff\xfeh\0", True), ("\ufffd".encode(), False)]
)
def test_only_text_is_read_as_one(server, shared, data, is_error):
    path = server.inside(shared, "/filesystem//tmp/data")
    server.http.put(path, files={"file": ("data", data)}).raise_for_status()

    read = post(server, shared, tool("fsReadFile", path="/tmp/data")).json()["result"]

    assert read.get("isError", False) is is_error
    assert ("not a text file in UTF-8" in read["content"][0]["text"]) is is_error


def test_mcp_answers_with_a_slash_at_its_end(server, shared):
    address = server.inside(shared, "/mcp/")

    assert server.http.post(address, json=rpc("ping")).json()["result"] == {}


@EITHER
async def test_a_client_finds_its_way_in_code(server, name, transport):
    lines = {"startLineOneIndexed": 2, "endLineOneIndexedInclusive": 3}
    async with transport(server, name) as client:
        call = caller(client)
        # Nothing but a newline ends a line, as in what a search tells.
        await call("fsWriteFile", path="src/app.py", content="one\x0c\u2028\n2 words\nthree\n")
        files = await call("codegenFileSearch", query="app", directory="src")
        found = await call("codegenCodebaseSearch", query="which words", targetDirectories=["src"])
        grepped = await call("codegenGrepSearch", query=r"^\d w", includePattern="*.py")
        read = await call("codegenReadFileRange", targetFile="src/app.py", **lines)
        listed = await call("codegenListDir", relativeWorkspacePath="src")

    assert files == {"success": True, "matches": ["app.py"], "query": "app"}
    assert found["results"] == [{"path": "src/app.py", "line": 2, "content": "2 words"}]
    assert grepped["results"] == "src/app.py:2:2 words"
    assert read["content"] == "2 words\nthree\n"
    assert listed["directory"]["name"] == "src"


@EITHER
async def test_a_client_is_told_what_needs_a_provider(server, name, transport):
    async with transport(server, name) as client:
        reapply = await client.call_tool("codegenReapply", {"targetFile": "x"})
        parallel = await client.call_tool(
            "codegenParallelApply", {"editPlan": "x", "editRegions": []}
        )

    assert reapply.is_error and "not configured" in reapply.content[0].text
    assert parallel.is_error and "not configured" in parallel.content[0].text


@EITHER
async def test_a_client_runs_looks_at_stops_and_kills_processes(server, name, transport):
    async with transport(server, name) as client:
        call = caller(client)
        ran = await call(
            "processExecute", command="echo $A", env={"A": "hi"}, waitForCompletion=True
        )
        await call("processExecute", command="echo on; sleep 100", name="long", keepAlive=True)
        long = await call("processGet", identifier="long")
        stopped = await call("processStop", identifier="long")
        await call("processExecute", command="sleep 100", name="killed")
        killed = await call("processKill", identifier="killed")
        logs = await call("processGetLogs", identifier="long")
        everything = await call("processesList")

    assert (ran["logs"], ran["exitCode"], ran["status"]) == ("hi\n", 0, "completed")
    assert (long["status"], long["keepAlive"]) == ("running", True)
    assert (stopped, killed) == ({"status": "stopped"}, {"status": "killed"})
    assert logs == {"logs": "on\n"}
    assert {each["name"] for each in everything["processes"]} >= {"long", "killed"}


def test_every_tool_and_every_input_is_described(server, shared):
    tools = post(server, shared, rpc("tools/list")).json()["result"]["tools"]

    inputs = [each for tool in tools for each in tool["inputSchema"]["properties"].values()]
    assert all(tool["description"] for tool in tools)
    assert all(each["description"] for each in inputs)
    assert {tool["inputSchema"]["type"] for tool in tools} == {"object"}


def test_a_providers_key_in_the_sandboxes_environment_brings_two_more_tools(server):
    name = server.create(runtime={"envs": [{"name": "MORPH_API_KEY", "value": "x"}]})

    listed = post(server, name, rpc("tools/list")).json()["result"]["tools"]
    server.delete(name)

    assert {tool["name"] for tool in listed} - OFFLINE == {"codegenEditFile", "codegenRerank"}


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        *((version, version) for version in ("2024-11-05", "2025-03-26", "2025-06-18")),
        *((version, "2025-11-25") for version in ("2025-11-25", "2099-01-01", None, 7)),
    ],
)
def test_a_known_version_is_spoken_and_else_the_newest(server, shared, asked, given):
    result = post(server, shared, rpc("initialize", {"protocolVersion": asked})).json()["result"]

    assert result["protocolVersion"] == given
    assert result["serverInfo"] == {"name": "Sandbox API Server", "version": "1.0.0"}


def test_only_posts_are_taken(server, shared):
    answers = [
        server.http.request(verb, server.inside(shared, "/mcp")) for verb in ("GET", "DELETE")
    ]

    assert {answer.status_code for answer in answers} == {405}
    assert answers[0].json() == {
        "error": "SSE streaming not supported. Please use POST for MCP communication."
    }


@pytest.mark.parametrize(
    "message",
    [
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": None},
        {"jsonrpc": "2.0", "id": 1, "result": {}},
        [{"jsonrpc": "2.0", "method": "notifications/initialized"}],
    ],
)
def test_what_asks_for_no_answer_is_a_202_without_one(server, shared, message):
    answer = post(server, shared, message)

    assert (answer.status_code, answer.content) == (202, b"")


@pytest.mark.parametrize(
    ("message", "status", "code"),
    [
        (b"", 400, -32700),
        (b"{", 400, -32700),
        (b"\xff", 400, -32700),
        (b"[" * 200_000, 400, -32700),
        (tool("fsReadFile", path={"x": [[[[[["deep"]]]]]]}), 200, None),
        (
            b'{"jsonrpc":"2.0","id":1,"method":"x","params":' + b"[" * 60 + b"]" * 60 + b"}",
            400,
            -32700,
        ),
        (b'{"jsonrpc":"2.0","id":1,"method":"\\ud800"}', 400, -32700),
        ([], 400, -32600),
        (7, 400, -32600),
        ({"id": 1, "method": "ping"}, 400, -32600),
        ({"jsonrpc": "2.0", "id": [1], "method": "ping"}, 400, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": 5}, 200, -32600),
        (rpc("resources/list"), 200, -32601),
        (rpc("server/discover"), 200, -32601),
        (rpc("ping", [1]), 200, -32602),
        (rpc("tools/call", {}), 200, -32602),
        (rpc("tools/call", {"name": {}, "arguments": {}}), 200, -32602),
        (rpc("tools/call", {"name": "fsReadFile", "arguments": "x"}), 200, -32602),
        (tool("noSuchTool"), 200, -32602),
        (tool("codegenEditFile", targetFile="x", instructions="x", codeEdit="x"), 200, -32602),
    ],
)
def test_what_can_not_be_understood_is_refused_in_json_rpc(server, shared, message, status, code):
    answer = post(server, shared, message)

    assert answer.status_code == status
    assert answer.json().get("error", {}).get("code") == code


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (tool("fsReadFile"), "path is required"),
        (tool("fsReadFile", path=7), "path must be a string"),
        (tool("fsReadFile", path="x", other=1), "can't hold 'other'"),
        (tool("fsReadFile", path="missing"), "no such file or directory"),
        (tool("fsReadFile", path="/tmp"), "is a directory"),
        (tool("fsReadFile", path="a\0b"), "NUL"),
        (tool("fsListDirectory", path="/etc/passwd"), "not a directory"),
        (tool("fsWriteFile", path="x", permissions="9"), "octal"),
        (tool("fsWriteFile", path="/dev/x", content=""), "read-only"),
        (tool("fsEditFile", path="/etc/hosts", oldString="", newString="x"), "empty"),
        (tool("fsEditFile", path="/etc/hosts", oldString="x", newString="x"), "identical"),
        (tool("fsEditFile", path="/etc/hosts", oldString="nope", newString="x"), "not found"),
        (tool("fsEditFile", path="/etc/hosts", oldString="localhost", newString="x"), "times"),
        (tool("fsEditFile", path="/bin/ls", oldString="a", newString="b"), "not a text file"),
        (tool("fsDeleteFileOrDirectory", path="missing"), "no such file"),
        (tool("processExecute", command=" "), "command is required"),
        (tool("processExecute", command="x", waitForPorts=[True]), r"\[0\] must be a whole"),
        (tool("processExecute", command="x", env={"A": 1}), "A must be a string"),
        (tool("processExecute", command="x", workingDir="/missing"), "does not exist"),
        (tool("processGet", identifier="nobody"), "process not found"),
        (tool("processStop", identifier="../x?y#z"), "."),
        (tool("codegenGrepSearch", query="("), "."),
        (
            tool(
                "codegenReadFileRange",
                targetFile="/etc/hosts",
                startLineOneIndexed=1,
                endLineOneIndexedInclusive=251,
            ),
            "at most 250 lines",
        ),
    ],
)
def test_a_tools_failure_is_a_result_that_says_why(server, shared, call, reason):
    result = post(server, shared, call).json()["result"]

    assert result["isError"] is True
    assert "structuredContent" not in result
    assert len(result["content"]) == 1
    assert re.search(reason, result["content"][0]["text"])


def test_a_wait_that_is_over_leaves_the_process_running_and_says_how_to_poll(server, shared):
    call = tool("processExecute", command="echo first; sleep 60", waitForCompletion=True, timeout=1)

    output = post(server, shared, call).json()["result"]["structuredContent"]

    assert output["pollRequired"] is True
    assert output["name"] in output["message"]
    assert (output["status"], output["logs"]) == ("running", "first\n")


class NeverDone:
    """A sandbox's API on which every wait lasts longer than the caller has."""

    async def call(self, method, path, body=None, *, seconds=0.0):
        if method == "POST":
            self.waited = seconds
            raise TimeoutError
        return {"pid": "7", "name": path.rpartition("/")[2], "status": "running"}


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        *(({}, 30), ({"timeout": 5}, 5), ({"timeout": 3600}, 58), ({"timeout": -1}, 1)),
        *(({"keepAlive": True}, 58), ({"keepAlive": True, "timeout": 0}, 58)),
    ],
)
async def test_no_wait_is_longer_than_58_seconds(asked, seconds):
    agent = NeverDone()
    execute = {tool.name: tool for tool in TOOLS}["processExecute"]

    output = await execute.run(agent, {"command": "x", "waitForCompletion": True, **asked})

    assert agent.waited == seconds
    assert output["pollRequired"] is True


def test_an_argument_of_a_megabyte_arrives_whole(server, shared):
    content = 'ä\n"\\' * 300_000

    written = post(server, shared, tool("fsWriteFile", path="/tmp/big", content=content))
    read = post(server, shared, tool("fsReadFile", path="/tmp/big"))

    assert written.status_code == 200
    assert read.json()["result"]["structuredContent"]["content"] == content


async def test_a_hundred_calls_at_once_are_each_answered(server, shared):
    async with socket_of(server, shared, additional_headers=HEADERS) as socket:
        for number in range(100):
            call = tool("processExecute", number, command=f"echo {number}", waitForCompletion=True)
            await socket.send(json.dumps(call))
        answers = [json.loads(await socket.recv()) for _ in range(100)]

    logs = {each["id"]: each["result"]["structuredContent"]["logs"] for each in answers}
    assert logs == {number: f"{number}\n" for number in range(100)}


async def test_edits_of_one_file_at_once_are_all_kept(server, shared):
    post(
        server,
        shared,
        tool("fsWriteFile", path="/tmp/list", content=" ".join(map(str, range(100, 120)))),
    )

    async with socket_of(server, shared, additional_headers=HEADERS) as socket:
        for number in range(100, 120):
            edit = {"path": "/tmp/list", "oldString": str(number), "newString": "done"}
            await socket.send(json.dumps(tool("fsEditFile", number, **edit)))
        answers = [json.loads(await socket.recv()) for _ in range(20)]

    assert not any("isError" in answer["result"] for answer in answers)
    read = post(server, shared, tool("fsReadFile", path="/tmp/list")).json()["result"]
    assert read["structuredContent"]["content"] == " ".join(["done"] * 20)


def test_a_call_wakes_a_sleeping_sandbox(server, name):
    wait_until(lambda: server.sleeps(name))

    answer = post(server, name, tool("fsGetWorkingDirectory"))

    assert answer.json()["result"]["structuredContent"] == {"path": "/blaxel"}


async def test_a_silent_socket_lets_the_sandbox_sleep_and_a_message_wakes_it(server, name):
    async with socket_of(server, name, additional_headers=HEADERS) as socket:
        await asyncio.to_thread(wait_until, lambda: server.sleeps(name))
        await socket.send(json.dumps(tool("fsGetWorkingDirectory")))
        answer = json.loads(await socket.recv())

    assert answer["result"]["structuredContent"] == {"path": "/blaxel"}


async def test_the_socket_takes_the_key_in_its_query_and_the_subprotocol(server, shared):
    async with socket_of(server, shared, f"?token={KEY}", subprotocols=["mcp"]) as socket:
        await socket.send("{")
        broken = json.loads(await socket.recv())
        await socket.send(json.dumps(rpc("ping", identity="a")).encode())
        pong = json.loads(await socket.recv())

    assert socket.subprotocol == "mcp"
    assert (broken["id"], broken["error"]["code"]) == (None, -32700)
    assert pong == {"jsonrpc": "2.0", "id": "a", "result": {}}


async def test_without_the_right_key_or_sandbox_nothing_opens(server, shared):
    nobody = server.http.post(
        server.inside(shared, "/mcp"),
        json=rpc("ping"),
        headers={"X-Blaxel-Authorization": "Bearer no"},
    )
    with pytest.raises(InvalidStatus) as anonymous:
        await socket_of(server, shared)
    with pytest.raises(InvalidStatus) as wrong:
        await socket_of(server, shared, "?token=wrong")
    with pytest.raises(InvalidStatus) as missing:
        await socket_of(server, new_name(), additional_headers=HEADERS)

    assert nobody.status_code == 401
    assert anonymous.value.response.status_code == wrong.value.response.status_code == 401
    assert missing.value.response.status_code == 404


async def test_a_deleted_sandbox_ends_its_socket_with_the_next_message(server):
    name = server.create()
    async with socket_of(server, name, additional_headers=HEADERS) as socket:
        await asyncio.to_thread(server.delete, name)
        await socket.send(json.dumps(tool("fsGetWorkingDirectory")))
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()

    assert closed.value.rcvd.code == 1001
