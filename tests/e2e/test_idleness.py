"""An open page that nobody uses keeps no sandbox awake. One that is hidden: test_terminal.py."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from sandboxes.streams.paths import SANDBOX_EVENTS
from tests.support.manta_process import Parts
from tests.support.person import move_in
from tests.support.visitor import Visitor
from tests.support.waiting import wait_until

pytestmark = pytest.mark.exhaustive

ASLEEP = "html[data-inside=asleep]"
OPEN = "html[data-inside=open]"
# Longer than a page that is used again waits for news, before it listens to an awake sandbox.
LOOKS_AGAIN_MS = 3500


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

    wait_until(lambda: impatient.blaxel.sleeps(name), 60)

    expect(page.locator(ASLEEP)).to_be_attached()
    expect(page.locator("[data-terminal=words]")).to_contain_text("Asleep")
    page.locator(".terminal-panel:visible textarea").press("Enter")
    expect(page.locator(OPEN)).to_be_attached()


def test_who_only_moves_the_mouse_wakes_nothing(
    workspace: tuple[Page, str], impatient: Parts
) -> None:
    page, name = workspace
    late: list[Route] = []
    wait_until(lambda: says_awake_and_gets_news_late(page, late))
    wait_until(lambda: impatient.blaxel.sleeps(name), 60)
    # Manta knows it by now, and the page has asked for the news of it.
    wait_until(lambda: status(page) == "standby")
    wait_until(lambda: page.evaluate("true") and late)
    expect(page.locator("#play")).to_contain_text("Active")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.mouse.move(300, 300)
    let_news_in(page, late)

    expect(page.locator("#play")).to_contain_text("Standby")
    page.wait_for_timeout(LOOKS_AGAIN_MS)
    assert [url for url in asked if SANDBOX_EVENTS in url] == []
    assert impatient.blaxel.sleeps(name)


def says_awake_and_gets_news_late(page: Page, late: list[Route]) -> bool:
    """Use the page, and hold its news back. False when it fell asleep in between."""
    page.locator(".terminal-panel:visible textarea").press("Enter")
    expect(page.locator(OPEN)).to_be_attached()
    expect(page.locator("#play")).to_contain_text("Active")
    page.route("**/sandbox/panel/**", lambda route: late.append(route))
    if "Active" in page.locator("#play").inner_text():
        return True
    let_news_in(page, late)
    return False


def status(page: Page) -> str:
    """Return what Manta knows of the sandbox, which it tells without asking anybody."""
    return str(page.request.get("/api/sandbox/init").json()["sandbox"]["status"])


def let_news_in(page: Page, late: list[Route]) -> None:
    while late:
        late.pop().continue_()
    page.unroute("**/sandbox/panel/**")
