"""Changes that a page shows by itself, over its stream."""

import re
from contextlib import suppress

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.support.manta_process import Manta, Parts
from tests.support.page_states import Still
from tests.support.person import Person, move_in, see, sign_in_as
from tests.support.visitor import Visitor
from tests.support.waiting import wait_until
from tests.support.web_process import Page as Listener

# Nothing that a page does later on comes about: no poll. What a swap takes still does.
NO_LATER = """
const soon = window.setTimeout;
window.setTimeout = (action, ms, ...rest) => soon(action, ms > 250 ? 2 ** 31 - 1 : ms, ...rest);
"""
LIVE = "html[data-live]"
# Once the panel's news has come, whether it was put into the page or not.
PANEL_WAS_TOLD = """() => {
  window.told = new Promise((told) => {
    document.body.addEventListener("htmx:beforeSwap", ({ detail }) => {
      if (detail.elt.id === "sandbox-body" && detail.shouldSwap) setTimeout(told);
    });
  });
}"""


@pytest.fixture
def address(still: Still) -> str:
    return still.url


def live(page: Page, still: Still) -> Person:
    """The workspace, of which only the stream can bring news."""
    page.add_init_script(NO_LATER)
    person = move_in(page, still.visitor)
    expect(page.locator(LIVE)).to_be_attached()
    return person


def open_streams(still: Still) -> int:
    text = httpx.get(f"{still.url}/metrics", trust_env=False).text
    return int(float(re.findall(r"^manta_open_streams (\S+)", text, re.MULTILINE)[0]))


def answers(still: Still) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{still.url}/healthz", trust_env=False).is_success
    return False


def test_a_change_reaches_every_tab(
    context: BrowserContext, page: Page, still: Still, complaints: list[str]
) -> None:
    still.show("asleep")
    tabs = [live(page, still), live(context.new_page(), still)]

    for state, word in (("active", "Active"), ("failed", "Failed"), ("asleep", "Standby")):
        still.show(state)
        for person in tabs:
            person.reads(word)
    assert complaints == []


def test_the_stage_follows(page: Page, still: Still) -> None:
    still.show("provisioning")
    live(page, still)
    expect(page.get_by_role("heading", name="Creating your sandbox")).to_be_visible()

    still.show("failed")

    expect(page.get_by_role("main").get_by_role("button", name="Retry")).to_be_visible()


@pytest.mark.exhaustive
def test_what_was_said_on_the_way_in_is_still_there_with_the_panes(
    page: Page, still: Still
) -> None:
    page.add_init_script(NO_LATER)
    Person(page).sign_up()
    said = page.locator("#notices").get_by_text("Confirmation email sent")
    expect(said).to_be_visible()
    expect(page.locator(LIVE)).to_be_attached()

    still.show("active")

    expect(page.locator("#pane-preview")).to_be_visible()
    expect(said).to_be_visible()


@pytest.mark.exhaustive
def test_the_focus_stays_where_it_is(page: Page, still: Still) -> None:
    still.show("asleep")
    person = live(page, still)
    person.play.click()
    page.locator("#panel-open").focus()

    still.show("active")

    person.reads("Active")
    expect(page.locator("#panel-open")).to_be_focused()


@pytest.mark.exhaustive
@pytest.mark.parametrize("key", ["mouse", "Space"])
def test_a_press_is_not_lost_to_news(page: Page, still: Still, key: str) -> None:
    still.show("asleep")
    live(page, still).play.click()
    page.locator("#panel-more summary").click()
    restart = page.locator("#panel-restart")
    restart.hover()
    restart.focus()
    page.evaluate(PANEL_WAS_TOLD)

    page.mouse.down() if key == "mouse" else page.keyboard.down(key)
    still.show("expiring")
    page.evaluate("told")
    page.mouse.up() if key == "mouse" else page.keyboard.up(key)

    expect(page.locator("#sandbox-panel")).to_contain_text("Restarting")
    expect(page.locator("#sandbox-panel #time-expires")).to_contain_text("minutes")


@pytest.mark.exhaustive
def test_without_streams_the_page_polls(page: Page, still: Still) -> None:
    still.show("asleep")
    page.route("**/live/sandbox*", lambda route: route.fulfill(status=503))
    person = move_in(page, still.visitor)
    expect(page.locator(LIVE)).not_to_be_attached()

    still.show("active")

    person.reads("Active")


@pytest.mark.exhaustive
def test_a_hidden_tab_has_no_stream_and_catches_up(page: Page, still: Still) -> None:
    # Those of the tests before are no longer counted.
    wait_until(lambda: open_streams(still) == 0, 60)
    still.show("asleep")
    person = live(page, still)
    wait_until(lambda: open_streams(still) == 1)

    page.evaluate(see(hidden=True))
    wait_until(lambda: open_streams(still) == 0)
    still.show("failed")
    page.evaluate(see(hidden=False))

    person.reads("Failed")
    wait_until(lambda: open_streams(still) == 1)


@pytest.mark.exhaustive
def test_a_page_outlives_its_server(whole_parts: Parts, page: Page, still: Still) -> None:
    still.show("asleep")
    person = live(page, still)

    whole_parts.kill("web")
    still.show("failed")
    whole_parts.start("web")
    wait_until(lambda: answers(still), 90)

    person.reads("Failed")


@pytest.mark.exhaustive
def test_the_record_grows_in_sight(page: Page, still: Still) -> None:
    still.show("asleep")
    page.add_init_script(NO_LATER)
    sign_in_as(page, still.visitor)
    page.goto("/sandbox/activity/")
    expect(page.locator(LIVE)).to_be_attached()

    still.visitor.post("/sandbox/extend/")

    expect(page.get_by_text("extended the sandbox until")).to_be_visible()


@pytest.mark.exhaustive
def test_what_the_worker_sees_is_told(manta: Manta, visitor: Visitor) -> None:
    name = visitor.until_ready()
    page = Listener(manta, f"sessionid={visitor.http.cookies['sessionid']}")
    page.shows("standby")

    manta.blaxel.run(name, "true")

    wait_until(lambda: page.states()[-2:] == ["active", "standby"], 60)
    page.close()


def test_signing_out_leaves_no_tab_behind(
    context: BrowserContext, page: Page, still: Still
) -> None:
    still.show("asleep")
    live(page, still)
    other = live(context.new_page(), still)

    other.sign_out()

    expect(page).to_have_url(re.compile("/accounts/login/"))
    still.visitor.sign_in()
