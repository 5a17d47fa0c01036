"""A person gives a program a token, reads what it did, and takes it back."""

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.support.page_checks import violations
from tests.support.person import confirm_password, sign_in_as
from tests.support.visitor import Visitor


def ask(visitor: Visitor, method: str, token: str) -> int:
    """As a program would, with nothing but the token: the answer's status."""
    headers = {"Authorization": f"Bearer {token}"}
    path = "/api/sandbox/extend" if method == "POST" else "/api/sandbox"
    return httpx.request(method, f"{visitor.http.base_url}{path}", headers=headers).status_code


def test_a_program_gets_a_token_uses_it_and_loses_it(
    page: Page, visitor: Visitor, complaints: list[str]
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    sign_in_as(page, visitor)
    page.goto("/account/")
    page.get_by_role("link", name="Manage personal tokens").click()
    page.get_by_role("link", name="New token").click()
    confirm_password(page)
    page.get_by_label("Name").fill("Nightly build")
    page.get_by_label("See the state of your sandbox").check()
    page.get_by_label("Create, restart, extend").check()
    page.get_by_role("button", name="Create token").click()

    assert violations(page) == []
    page.get_by_role("button", name="Copy the token").click()
    token = page.evaluate("navigator.clipboard.readText()")
    assert ask(visitor, "GET", token) == 200
    assert ask(visitor, "POST", token) == 202

    page.goto("/sandbox/activity/")
    expect(page.get_by_text("Your token “Nightly build”").first).to_be_visible()

    page.goto("/account/tokens/")
    expect(page.get_by_role("main").get_by_text("last used")).to_be_visible()
    page.get_by_role("link", name="Revoke the token Nightly build").click()
    assert violations(page) == []
    page.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_text("You have none.")).to_be_visible()
    assert ask(visitor, "GET", token) == 401
    assert complaints == []


@pytest.mark.exhaustive
def test_a_token_is_made_without_scripts_and_not_shown_again(page: Page, visitor: Visitor) -> None:
    page.route(re.compile(r"\.js$"), lambda route: route.abort())
    sign_in_as(page, visitor)
    page.goto("/account/tokens/new/")
    confirm_password(page)
    page.get_by_label("Name").fill("CI")
    page.get_by_label("Use the tools inside your sandbox").check()
    page.get_by_role("button", name="Create token").click()
    shown = page.locator("main [data-copy-text]")
    token = shown.text_content()
    assert violations(page) == []

    page.reload()

    expect(page.get_by_text("This token was created, and is not shown again.")).to_be_visible()
    expect(shown).to_have_count(0)
    assert token
    assert token[-64:] not in page.content()
