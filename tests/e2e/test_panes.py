"""The panes of ports and processes, as they come and go with the sandbox's sleep."""

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from tests.support.chromium import browser_of_a_phone
from tests.support.page_states import Still
from tests.support.person import move_in, see, sign_in_as
from tests.support.waiting import wait_until

# A stream that has not heard yet what runs and listens.
SAYS_LITTLE = {
    "content_type": "text/event-stream",
    "body": "retry: 600000\n\nevent: connected\ndata: {}\n\n",
}
INSIDE = "**/live/inside*"
# What of the panes' heads is seen, and would not take a click.
COVERED = """
() => [...document.querySelectorAll(".pane-head :is(button, a, input, select)")]
  .filter((element) => element.checkVisibility({ visibilityProperty: true }))
  .map((element) => [element, element.getBoundingClientRect()])
  .filter(([element, box]) => {
    const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return !element.contains(hit);
  })
  .map(([element]) => element.outerHTML)
"""
SIZES = {"desk": {"viewport": {"width": 1440, "height": 900}}, "phone": browser_of_a_phone()}


@pytest.fixture
def address(still: Still) -> str:
    return still.url


def follow_requests(page: Page) -> set[Request]:
    """The requests of the page that have no answer yet, streams aside."""
    under_way: set[Request] = set()
    page.on("request", lambda request: None if "/live" in request.url else under_way.add(request))
    page.on("requestfinished", lambda request: under_way.discard(request))
    page.on("requestfailed", lambda request: under_way.discard(request))
    return under_way


def fills(page: Page) -> None:
    expect(page.locator("#ports-list [data-port='3000']")).to_contain_text("server, on 0.0.0.0")
    expect(page.locator("#process-list [data-process=starter]")).to_contain_text("running")


@pytest.mark.exhaustive
def test_they_fill_as_soon_as_the_sandbox_can_be_asked(page: Page, still: Still) -> None:
    still.show("active")
    page.route(INSIDE, lambda route: route.fulfill(**SAYS_LITTLE))

    move_in(page, still.visitor)

    fills(page)


@pytest.mark.exhaustive
def test_nothing_is_told_before_everybody_listens(page: Page, still: Still) -> None:
    still.show("active")
    late: list[Route] = []
    page.route("**/js/workspace.*.js", lambda route: late.append(route))
    sign_in_as(page, still.visitor)

    page.goto("/workspace/", wait_until="commit")
    expect(page.locator("html")).to_have_attribute("data-inside", "off")
    wait_until(lambda: page.title() and late)
    late[0].continue_()

    fills(page)


@pytest.mark.exhaustive
def test_looking_wakes_nobody(page: Page, still: Still) -> None:
    still.show("asleep")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    move_in(page, still.visitor)
    page.locator("#tab-ports").click()

    expect(page.locator("#ports-list")).to_contain_text("Opening the port wakes it")
    expect(page.locator("#pane-ports").get_by_role("button", name="Wake")).to_be_visible()
    assert not [url for url in asked if "look" in url or url.endswith("/processes/")]


@pytest.mark.exhaustive
def test_what_was_last_known_says_so_until_it_is_awake_again(
    page: Page, still: Still, complaints: list[str]
) -> None:
    still.show("active")
    person = move_in(page, still.visitor)
    page.locator("#tab-ports").click()
    fills(page)
    expect(page.locator("#pane-ports .last-seen")).to_be_hidden()

    still.show("asleep")
    person.reads("Standby")
    page.evaluate(see(hidden=True))
    expect(page.locator("html")).to_have_attribute("data-inside", "asleep")
    page.evaluate(see(hidden=False))

    expect(page.locator("#pane-ports .last-seen")).to_contain_text("Last seen")
    page.locator("#pane-ports").get_by_role("button", name="Wake").click()
    expect(page.locator("html")).to_have_attribute("data-inside", "open")
    expect(page.locator("#pane-ports .last-seen")).to_be_hidden()
    fills(page)
    assert complaints == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("size", SIZES)
def test_a_notice_covers_no_control_of_a_pane(browser: Browser, still: Still, size: str) -> None:
    still.show("expiring")
    context = browser.new_context(base_url=still.url, **SIZES[size])
    page = context.new_page()
    move_in(page, still.visitor)
    expect(page.locator("#expiry-notice")).to_be_visible()
    expect(page.locator("#preview-open")).to_be_visible()

    assert page.evaluate(COVERED) == []
    context.close()


@pytest.mark.exhaustive
def test_a_page_from_before_a_sign_in_says_so_and_loses_nothing(page: Page, still: Still) -> None:
    still.show("active")
    under_way = follow_requests(page)
    person = move_in(page, still.visitor)
    page.locator("[data-opens-file]").first.click()
    expect(page.locator(".editor-surface .cm-content")).to_contain_text("doctype")
    page.locator(".editor-surface .cm-content").click()
    page.keyboard.press("Control+Home")
    page.keyboard.type("Mine. ")
    # A late answer would bring the cookie of its own time back.
    while under_way:
        page.wait_for_timeout(20)
    still.visitor.sign_in()
    sign_in_as(page, still.visitor)
    outdated = page.locator("#notices").get_by_text("from before you signed in again")

    page.keyboard.press("Control+s")
    expect(page.locator(".editor-bar")).to_contain_text("is kept in this browser")
    expect(outdated).to_be_visible()
    person.play.click()
    page.locator("#panel-refresh").click()
    expect(outdated).to_have_count(1)
    page.locator("#notices").get_by_role("button", name="Reload").click()

    expect(page.locator(".editor-surface .cm-content")).to_contain_text("Mine. ")
    page.keyboard.press("Control+s")
    expect(page.locator("[data-editor-state]")).to_have_text("Saved")
