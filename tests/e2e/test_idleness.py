"""An open page that nobody uses keeps no sandbox awake. One that is hidden: test_terminal.py."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.manta import Parts
from tests.e2e.person import hears_no_news, move_in
from tests.e2e.visitor import Visitor
from tests.local_blaxel.running import until

ASLEEP = "html[data-inside=asleep]"
OPEN = "html[data-inside=open]"


@pytest.fixture
def impatient(parts: Parts) -> Iterator[Parts]:
    parts.restart("web", WORKSPACE_IDLE_AFTER="3s")
    yield parts
    parts.restart("web")


@pytest.fixture
def workspace(browser: Browser, impatient: Parts) -> Iterator[tuple[Page, str]]:
    """In use: somebody has just opened a terminal."""
    with Visitor(impatient.url) as visitor:
        visitor.sign_up()
        name = visitor.until_ready()
        context = browser.new_context(base_url=impatient.url)
        page = context.new_page()
        move_in(page, visitor)
        page.get_by_role("button", name="New terminal").first.click()
        expect(page.locator(OPEN)).to_be_attached()
        expect(page.locator("[data-terminal=words]")).to_have_text("Connected")
        yield page, name
        context.close()


def test_a_page_that_nobody_uses_parks(workspace: tuple[Page, str], impatient: Parts) -> None:
    page, name = workspace

    until(lambda: impatient.blaxel.sleeps(name), 60)

    expect(page.locator(ASLEEP)).to_be_attached()
    expect(page.locator("[data-terminal=words]")).to_contain_text("Asleep")
    page.locator(".terminal-panel:visible textarea").press("Enter")
    expect(page.locator(OPEN)).to_be_attached()


def test_who_only_moves_the_mouse_wakes_nothing(
    workspace: tuple[Page, str], impatient: Parts
) -> None:
    page, name = workspace
    hears_no_news(page)
    until(lambda: impatient.blaxel.sleeps(name), 60)
    expect(page.locator("#play")).to_contain_text("Awake")

    page.mouse.move(300, 300)
    page.wait_for_timeout(1500)
    assert impatient.blaxel.sleeps(name)

    page.unroute_all()
    page.wait_for_timeout(2500)
    expect(page.locator("#play")).to_contain_text("Asleep")
    assert impatient.blaxel.sleeps(name)
