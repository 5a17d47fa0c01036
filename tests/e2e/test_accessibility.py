from collections.abc import Iterator
from urllib.parse import urlencode

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.chromium import UNTIL_STILL, browser_of_a_phone
from tests.e2e.manta import Parts
from tests.e2e.person import hears_no_news, move_in, sign_in_as
from tests.e2e.states import STATES, Still, held

FOR_STRANGERS = [
    "/",
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/accounts/password/reset/done/",
    "/accounts/password/reset/key/0-x/",
    "/no/such/page",
]
FOR_PEOPLE = [
    "/account/",
    "/account/delete/",
    "/account/agents/",
    "/account/tokens/",
    "/account/tokens/new/",
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/logout/",
    "/accounts/reauthenticate/",
    "/sandbox/panel/",
    "/sandbox/reset/",
    "/sandbox/delete/",
]
OF_THE_PANEL = [*STATES, "stale", "none"]
TOO_SMALL = """
() => [...document.querySelectorAll("button, a.button")]
  .filter((element) => !element.matches(".small, .copy, [data-theme-choice], [data-dismiss]"))
  .filter((element) => element.checkVisibility())
  .map((element) => [element, element.getBoundingClientRect()])
  .filter(([, box]) => box.width > 1 && (box.width < 43.9 || box.height < 43.9))
  .map(([element, box]) => `${element.outerHTML.slice(0, 90)} ${box.width}x${box.height}`)
"""
# All that the theme changes.
COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def still(whole_parts: Parts) -> Iterator[Still]:
    with held(whole_parts) as still:
        yield still


@pytest.fixture
def context(browser: Browser, still: Still) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=still.url, viewport={"width": 1440, "height": 900})
    yield context
    context.close()


@pytest.fixture
def phone(browser: Browser, still: Still) -> Iterator[Page]:
    context = browser.new_context(base_url=still.url, **browser_of_a_phone())
    yield context.new_page()
    context.close()


def move_in_and_open(page: Page, still: Still, state: str) -> None:
    """The workspace with the panel open, and its preview where there is one."""
    still.show(state)
    person = move_in(page, still.visitor)
    person.play.click()
    expect(person.panel).to_be_visible()


def violations(page: Page) -> list[str]:
    """What axe-core finds, in either theme."""
    found = []
    for theme, rules in (("light", {}), ("dark", COLOURS)):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.evaluate(UNTIL_STILL)
        for violation in Axe().run(page, options=rules).response["violations"]:
            targets = [f"{node['target']} {node['failureSummary']}" for node in violation["nodes"]]
            found.append(f"{theme}: {violation['id']}: {targets}")
    return found


@pytest.mark.parametrize("path", FOR_STRANGERS)
def test_a_stranger_finds_every_page_accessible(page: Page, path: str) -> None:
    page.goto(path)

    assert violations(page) == []


@pytest.mark.parametrize("path", FOR_PEOPLE)
def test_every_page_of_an_account_is_accessible(page: Page, still: Still, path: str) -> None:
    still.show("asleep")
    sign_in_as(page, still.visitor)

    page.goto(path)

    assert violations(page) == []


def asking(still: Still) -> str:
    """Where an agent sends its person."""
    callback = "http://127.0.0.1:33418/callback"
    body = {"client_name": "An agent with a long name", "redirect_uris": [callback]}
    registered = httpx.post(f"{still.url}/oauth/register", json=body, trust_env=False)
    query = {
        "response_type": "code",
        "client_id": registered.json()["client_id"],
        "redirect_uri": callback,
        "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
        "resource": f"{still.url}/mcp",
    }
    return f"/oauth/authorize?{urlencode(query)}"


def test_an_agents_question_is_accessible(page: Page, phone: Page, still: Still) -> None:
    still.show("asleep")
    for each in (page, phone):
        sign_in_as(each, still.visitor)
        each.goto(asking(still))
        each.get_by_text("Only one folder, or not for long").click()

    assert violations(page) == []
    assert phone.evaluate(OVERFLOW) == 0
    assert phone.evaluate(TOO_SMALL) == []


@pytest.mark.parametrize("state", OF_THE_PANEL)
def test_the_workspace_is_accessible_in_every_state(page: Page, still: Still, state: str) -> None:
    move_in_and_open(page, still, state)

    assert violations(page) == []


def test_what_is_needed_seldom_is_accessible(page: Page, still: Still) -> None:
    move_in_and_open(page, still, "asleep")

    page.locator("#panel-more summary").click()

    assert violations(page) == []


def test_the_losses_before_a_deletion_are_accessible(page: Page, still: Still) -> None:
    still.show("unsaved")
    sign_in_as(page, still.visitor)

    page.goto("/sandbox/delete/")
    page.get_by_role("button", name="Delete the sandbox").click()

    assert violations(page) == []


def test_the_account_menu_is_accessible(page: Page, still: Still) -> None:
    move_in(page, still.visitor)

    page.get_by_role("button", name="Account menu").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()

    assert violations(page) == []


def test_an_error_is_accessible(context: BrowserContext, page: Page, still: Still) -> None:
    hears_no_news(page)
    move_in_and_open(page, still, "asleep")
    still.show("provisioning")

    with context.expect_page() as opening:
        page.locator("#preview-open").click()

    expect(opening.value.get_by_role("heading", name="That did not work")).to_be_visible()
    assert violations(opening.value) == []


def test_the_starter_page_is_accessible(context: BrowserContext, page: Page, still: Still) -> None:
    move_in_and_open(page, still, "asleep")

    with context.expect_page() as opening:
        page.locator("#preview-open").click()

    expect(opening.value.get_by_role("heading", level=1)).to_be_visible()
    assert violations(opening.value) == []


@pytest.mark.parametrize("path", FOR_STRANGERS)
def test_a_page_fits_a_strangers_phone(phone: Page, path: str) -> None:
    phone.goto(path)

    assert phone.evaluate(OVERFLOW) == 0
    assert phone.evaluate(TOO_SMALL) == []


@pytest.mark.parametrize("path", [*FOR_PEOPLE, "/workspace/"])
def test_a_page_of_an_account_fits_a_phone(phone: Page, still: Still, path: str) -> None:
    still.show("asleep")
    sign_in_as(phone, still.visitor)

    phone.goto(path)

    assert phone.evaluate(OVERFLOW) == 0
    assert phone.evaluate(TOO_SMALL) == []


@pytest.mark.parametrize("state", ["active", "failed", "provisioning", "stale", "expiring"])
def test_the_panel_fits_a_phone(phone: Page, still: Still, state: str) -> None:
    move_in_and_open(phone, still, state)

    assert phone.evaluate(OVERFLOW) == 0
    assert phone.evaluate(TOO_SMALL) == []


def test_an_open_file_is_accessible(page: Page, still: Still) -> None:
    still.show("active")
    move_in(page, still.visitor)
    page.locator("[data-opens-file]").first.click()
    expect(page.locator(".editor-surface .cm-content")).to_contain_text("doctype")

    assert violations(page) == []
