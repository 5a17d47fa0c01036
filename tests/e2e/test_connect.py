"""A person connects an agent, and sees what it does."""

import httpx
from playwright.sync_api import Page, expect

from tests.support.page_checks import violations
from tests.support.person import confirm_password, sign_in_as
from tests.support.visitor import Visitor


def call(visitor: Visitor, token: str, tool: str, **arguments: object) -> str:
    """As an agent would, with nothing but the token."""
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/json, text/event-stream",
    }
    params = {"name": tool, "arguments": arguments}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    address = f"{visitor.http.base_url}/mcp".replace("//mcp", "/mcp")
    return httpx.post(address, headers=headers, json=message, timeout=60).text


def test_an_agent_is_connected_tested_and_seen_at_work(
    page: Page, visitor: Visitor, complaints: list[str]
) -> None:
    sign_in_as(page, visitor)
    page.goto("/sandbox/connect/")
    page.get_by_role("link", name="Codex").click()
    expect(page.get_by_text("codex mcp login manta")).to_be_visible()
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_text("It works")).to_be_visible()

    page.goto("/account/tokens/new/")
    confirm_password(page)
    page.get_by_label("Name").fill("Reader")
    page.get_by_label("Use the tools inside your sandbox").check()
    page.get_by_label("Write and delete files").uncheck()
    page.get_by_label("Run and stop commands").uncheck()
    page.get_by_role("button", name="Create token").click()
    token = page.locator("main [data-copy-text]").text_content() or ""

    page.goto("/sandbox/agents/")
    expect(page.locator("html[data-live]")).to_be_attached()
    assert '"isError":true' not in call(visitor, token, "fsReadFile", path="/blaxel/app/README.md")
    expect(page.locator("#calls .call-about").get_by_text("/blaxel/app/README.md")).to_be_visible()
    assert "permission_denied" in call(visitor, token, "fsWriteFile", path="/x", content="y")
    refused = page.locator("#calls li").filter(has_text="fsWriteFile")
    expect(refused.get_by_text("permission_denied")).to_be_visible()

    page.get_by_label("Outcome").select_option("Done")
    expect(refused).to_have_count(0)
    assert violations(page) == []
    page.goto("/account/tokens/")
    page.get_by_role("link", name="Permissions of the token Reader").click()
    expect(page.get_by_role("heading", name="Permissions of “Reader”")).to_be_visible()
    assert violations(page) == []
    assert complaints == []
