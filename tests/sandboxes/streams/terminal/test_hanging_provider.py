"""A provider that hangs, asked again and again by one person's agent: all others are let in."""

import json
import select
import socket
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest

from sandboxes.mcp.endpoint import PATH
from tests.support.factories import SandboxFactory, make_token
from tests.support.waiting import wait_until
from tests.support.web_process import TIMEOUT

pytestmark = [pytest.mark.data_plane, pytest.mark.django_db(transaction=True)]
ACCEPT = "application/json, text/event-stream"


def call(tool, **arguments):
    params = {"name": tool, "arguments": arguments}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}


@pytest.fixture
def bobs_calls(web, bob, provider):
    """Connections on which bob's agent waits for addresses that the provider does not give."""
    sandbox = SandboxFactory(owner=bob)
    previews = f"/sandboxes/{sandbox.name}/previews"
    for method in ("GET", "POST"):
        provider.hangs(method, previews, 60, times=100)
    body = json.dumps(call("sandboxPreviewUrl", port=sandbox.first_port))
    head = (
        # Without events: nothing comes before the answer.
        f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n"
        f"Authorization: Bearer {make_token(bob, 'mcp')}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    address = urlsplit(web.url)
    with ExitStack() as stack:
        lines = []
        for _ in range(8):
            line = socket.create_connection((address.hostname, address.port), 30)
            lines.append(stack.enter_context(line))
            line.sendall(f"{head}{body}".encode())
        wait_until(
            lambda: provider.is_asked("GET", previews) or provider.is_asked("POST", previews),
            TIMEOUT,
        )
        yield lines


@pytest.mark.exhaustive
def test_it_keeps_nobody_else_from_a_terminal_or_a_tool(web, made, key, connected, bobs_calls):
    token = make_token(made.owner, "mcp")
    headers = {"Authorization": f"Bearer {token}", "Accept": ACCEPT}

    page = connected(key)
    page.types("echo let $((1 + 1)) in\r")
    page.sees("let 2 in")
    answer = httpx.post(
        web.url + PATH,
        json=call("sandboxStatus"),
        headers=headers,
        timeout=TIMEOUT,
        trust_env=False,
    )

    assert '"status"' in answer.text, answer.text
    answered, _, _ = select.select(bobs_calls, [], [], 0)
    assert len(answered) < len(bobs_calls), "bob does not wait any more, so nobody was held up"
