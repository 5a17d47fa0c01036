"""What passes through /mcp besides answers, to and from a sandbox whose MCP streams."""

import asyncio
import json
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from mcp.client.client import Client

from sandboxes.mcp.endpoint import PATH
from sandboxes.models import Sandbox

pytestmark = pytest.mark.data_plane

# As a later Blaxel may: its own answers with plain JSON today.
VERSIONS = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
TOOLS = ["count", "wait"]


class StreamingSandbox(BaseHTTPRequestHandler):
    """Its tool `count` says how far it is, and `wait` comes to no end by itself."""

    left = threading.Event()

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        answer = {"tools/list": self.list, "tools/call": self.call}[asked["method"]]
        self.tell({"id": asked["id"], "result": answer(asked["params"])})

    def list(self, params):
        return {"tools": [{"name": name, "inputSchema": {"type": "object"}} for name in TOOLS]}

    def call(self, params):
        token = params["_meta"]["progressToken"]
        for done in range(1, 4):
            told = {"progressToken": token, "progress": done, "total": 3, "message": f"{done}!"}
            self.tell({"method": "notifications/progress", "params": told})
        if params["name"] == "wait":
            self.connection.recv(1)  # nothing, once whoever asks has left
            self.left.set()
        return {"content": [{"type": "text", "text": "counted"}]}

    def tell(self, message):
        with suppress(OSError):  # whoever has left hears nothing
            self.wfile.write(f"data: {json.dumps({'jsonrpc': '2.0', **message})}\n\n".encode())

    def log_message(self, *args):
        pass


@pytest.fixture
def streaming(made):
    """Alice's sandbox has such an MCP."""
    StreamingSandbox.left.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), StreamingSandbox) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        Sandbox.objects.filter(pk=made.pk).update(data_url=f"http://127.0.0.1:{server.server_port}")
        yield StreamingSandbox
        server.shutdown()


def test_how_far_a_tool_is_reaches_the_agent(made, streaming, as_agent):
    heard = []

    async def hear(progress, total, message):
        heard.append((progress, total, message))

    async def call(client: Client):
        return await client.call_tool("count", {}, progress_callback=hear)

    result = as_agent(made.owner, call)

    assert result.content[0].text == "counted"
    assert heard == [(1, 3, "1!"), (2, 3, "2!"), (3, 3, "3!")]


@pytest.mark.exhaustive
def test_a_call_that_an_agent_cancels_is_cancelled_at_the_sandbox(made, streaming, as_agent):
    async def cancel(client: Client):
        begun = asyncio.Event()

        async def hear(*told):
            begun.set()

        call = asyncio.ensure_future(client.call_tool("wait", {}, progress_callback=hear))
        await asyncio.wait_for(begun.wait(), 30)
        assert not streaming.left.is_set()
        call.cancel()
        return await asyncio.to_thread(streaming.left.wait, 30)

    assert as_agent(made.owner, cancel)


@pytest.mark.exhaustive
@pytest.mark.parametrize("version", VERSIONS)
def test_versions_that_clients_still_use_are_answered(made, web, token, version):
    headers = {
        "Authorization": f"Bearer {token(made.owner)}",
        "Accept": "application/json, text/event-stream",
    }

    def ask(method, **params):
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = httpx.post(
            web.url + PATH, json=message, headers=headers, trust_env=False, timeout=60
        )
        assert answer.status_code == 200, answer.text
        [data] = [line[5:] for line in answer.text.splitlines() if line.startswith("data:")]
        return json.loads(data)["result"]

    client = {"name": "old", "version": "1"}
    agreed = ask("initialize", protocolVersion=version, capabilities={}, clientInfo=client)
    headers["MCP-Protocol-Version"] = version
    tools = {tool["name"] for tool in ask("tools/list")["tools"]}

    assert agreed["protocolVersion"] == version
    assert {"sandboxStatus", "fsReadFile"} <= tools
