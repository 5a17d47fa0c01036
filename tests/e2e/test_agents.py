"""An agent gets an address, its person lets it in, and takes that back."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from mcp.client.client import Client
from playwright.sync_api import Page, expect

from tests.support.manta_process import Manta
from tests.support.mcp_sign_in import McpClient, allow, listening
from tests.support.page_checks import violations
from tests.support.person import sign_in_as
from tests.support.visitor import PASSWORD, Visitor
from tests.support.waiting import wait_until


@pytest.fixture
def agent(manta: Manta) -> Iterator[McpClient]:
    with listening() as callback:
        yield McpClient(f"{manta.url}/mcp", callback)


async def greet(client: Client) -> str:
    run = {"command": "echo Hello from $(whoami)", "waitForCompletion": True}
    result = await client.call_tool("processExecute", run)
    return str(json.loads(result.content[0].text)["logs"])  # type: ignore[union-attr]


def call(agent: McpClient) -> httpx.Response:
    """As nothing but its token would."""
    headers = {
        "Authorization": f"Bearer {agent.storage.tokens.access_token}",
        "Accept": "application/json, text/event-stream",
    }
    message = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    return httpx.post(agent.url, headers=headers, json=message, trust_env=False, timeout=60)


@pytest.mark.exhaustive
def test_from_the_address_alone_to_a_call_and_back(
    page: Page, visitor: Visitor, agent: McpClient, complaints: list[str]
) -> None:
    async def greet_refresh_and_greet(client: Client) -> str:
        said = await greet(client)
        first = agent.storage.tokens
        agent.expire()
        assert await greet(client) == said
        assert agent.storage.tokens.refresh_token != first.refresh_token
        return said

    calling = agent.starts(greet_refresh_and_greet)
    page.goto(agent.asks.get(timeout=60))
    page.get_by_label("Email").fill(visitor.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign In", exact=True).click()
    expect(page.get_by_role("heading", name="Allow “The SDK” to use your sandbox?")).to_be_visible()
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("heading", name="Back at the agent")).to_be_visible()
    assert calling.result(90).startswith("Hello from")

    page.goto("/account/")
    page.get_by_role("link", name="Manage connected agents").click()
    expect(page.locator("#main").get_by_text("last used")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("link", name="Revoke the agent The SDK").click()
    assert violations(page) == []
    page.get_by_role("button", name="Disconnect it").click()
    expect(page.get_by_text("You have none.")).to_be_visible()
    assert call(agent).status_code == 401
    assert complaints == []


@pytest.mark.exhaustive
def test_revoking_it_ends_what_it_does_just_now(
    page: Page, visitor: Visitor, agent: McpClient, manta: Manta
) -> None:
    async def sleep(client: Client) -> Any:
        run = {"command": "sleep 50", "waitForCompletion": True, "timeout": 55}
        return await client.call_tool("processExecute", run)

    sign_in_as(page, visitor)
    calling = agent.starts(sleep)
    allow(page, agent.asks.get(timeout=60), "The SDK")
    name = visitor.until_ready()
    wait_until(lambda: "sleep 50" in manta.blaxel.processes(name), 60)

    page.goto("/account/agents/")
    page.get_by_role("link", name="Revoke the agent The SDK").click()
    page.get_by_role("button", name="Disconnect it").click()
    expect(page.get_by_text("You have none.")).to_be_visible()

    # It is answered 401, and asks its person again instead of going on.
    again = agent.asks.get(timeout=30)
    assert "/oauth/authorize?" in again
    assert not calling.done()
    page.goto(again)
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("heading", name="Back at the agent")).to_be_visible()
    assert calling.exception(60) is not None


@pytest.mark.exhaustive
def test_it_is_let_in_without_scripts(page: Page, visitor: Visitor, agent: McpClient) -> None:
    page.route(re.compile(r"\.js$"), lambda route: route.abort())
    sign_in_as(page, visitor)
    calling = agent.starts(greet)

    allow(page, agent.asks.get(timeout=60), "The SDK")

    assert calling.result(90).startswith("Hello from")


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "uri", ["cursor://anysphere.cursor-mcp/oauth/callback", "http://[::1]:9/callback"]
)
def test_the_policy_is_in_nobodys_way(
    page: Page, visitor: Visitor, manta: Manta, complaints: list[str], uri: str
) -> None:
    sign_in_as(page, visitor)
    registered = httpx.post(f"{manta.url}/oauth/register", json={"redirect_uris": [uri]})
    query = {
        "response_type": "code",
        "client_id": registered.json()["client_id"],
        "redirect_uri": uri,
        "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
        "resource": f"{manta.url}/mcp",
    }
    page.goto(f"/oauth/authorize?{urlencode(query)}")

    with page.expect_request(lambda request: request.url.startswith(uri)):
        page.get_by_role("button", name="Deny").click()

    assert not [said for said in complaints if "Content Security Policy" in said]


@pytest.mark.exhaustive
def test_what_it_may_not_do_is_refused(page: Page, visitor: Visitor, agent: McpClient) -> None:
    sign_in_as(page, visitor)
    calling = agent.starts(lambda client: client.call_tool("processExecute", {"command": "id"}))
    page.goto(agent.asks.get(timeout=60))
    page.get_by_label("Run and stop commands").uncheck()
    page.get_by_text("Limit folder or duration").click()
    page.get_by_label("Limit to folder").fill("/blaxel/app")
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("heading", name="Back at the agent")).to_be_visible()

    result = calling.result(90)
    assert result.is_error
    assert "permission_denied" in result.content[0].text
