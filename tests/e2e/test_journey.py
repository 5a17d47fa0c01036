import re

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.manta_process import Manta
from tests.support.page_checks import violations
from tests.support.person import Person, move_in
from tests.support.visitor import Visitor
from tests.support.waiting import wait_until

INDEX = "/blaxel/app/public/index.html"
CHANGED = "<!doctype html><title>Mine</title><link rel=icon href=data:,><h1>Changed inside</h1>"
PREVIEW = re.compile(r"http://[a-z0-9-]+\.localhost:\d+/")


def reads_active(person: Person) -> bool:
    """Use the preview again where nobody has seen the sandbox awake: it sleeps after a second."""
    try:
        expect(person.play).to_contain_text("Active", timeout=3000)
    except AssertionError:
        person.page.get_by_role("button", name="Reload the preview").click()
        return False
    return True


def test_from_sign_up_to_the_same_sandbox_the_next_day(
    manta: Manta, context: BrowserContext, page: Page, complaints: list[str]
) -> None:
    person = Person(page)

    person.sign_up()
    person.play.click()
    page.get_by_role("button", name="Reload the preview").click()
    wait_until(lambda: reads_active(person))
    expect(person.preview.get_by_role("heading", level=1)).to_be_visible()
    page.goto("/account/")  # who works in an open workspace keeps it awake
    person.reads("Standby")
    page.goto("/workspace/")
    page.get_by_role("button", name="Show preview").click()
    wait_until(lambda: reads_active(person))

    with context.expect_page() as opening:
        person.panel.get_by_role("button", name="Open").click()
    tab = opening.value
    expect(tab.get_by_role("heading", level=1)).to_be_visible()
    expect(tab).to_have_url(PREVIEW)
    name = person.panel.locator("code").first.inner_text()
    manta.blaxel.write(name, INDEX, CHANGED)
    tab.reload()
    expect(tab.get_by_role("heading", name="Changed inside")).to_be_visible()

    person.sign_out()
    person.sign_in()
    expect(person.panel).to_contain_text(name)
    page.get_by_role("button", name="Reload the preview").click()
    expect(person.preview.get_by_role("heading", name="Changed inside")).to_be_visible()
    assert violations(page) == []
    assert complaints == []


def test_the_panel_by_keyboard_alone(page: Page, visitor: Visitor, complaints: list[str]) -> None:
    person = move_in(page, visitor)
    expect(person.play).to_have_attribute("aria-expanded", "false")
    expect(person.panel).to_be_hidden()

    person.play.focus()
    page.keyboard.press("Enter")
    expect(person.play).to_have_attribute("aria-expanded", "true")
    expect(person.panel).to_be_visible()
    expect(person.panel).to_be_focused()

    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Close the sandbox panel")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#panel-open")).to_be_focused()
    page.keyboard.press("Escape")
    expect(person.panel).to_be_hidden()
    expect(person.play).to_be_focused()
    expect(person.play).to_have_attribute("aria-expanded", "false")

    page.keyboard.press("Space")
    expect(person.panel).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(person.panel).to_be_hidden()
    expect(person.play).to_be_focused()
    assert complaints == []


def test_the_panel_is_as_it_was_left(page: Page, visitor: Visitor) -> None:
    person = move_in(page, visitor)

    person.play.click()
    page.reload()
    expect(person.panel).to_be_visible()
    expect(person.play).to_have_attribute("aria-expanded", "true")

    person.play.click()
    page.reload()
    expect(person.panel).to_be_hidden()
    expect(person.play).to_have_attribute("aria-expanded", "false")


@pytest.mark.exhaustive
def test_without_javascript(browser: Browser, manta: Manta, visitor: Visitor) -> None:
    context = browser.new_context(base_url=manta.url, java_script_enabled=False)
    page = context.new_page()
    person = Person(page, visitor.email)

    person.sign_in()
    person.play.click()
    facts = page.get_by_role("main")
    expect(facts).to_contain_text(visitor.until_ready())
    expect(facts).to_contain_text(re.compile("Active|Standby"))
    facts.get_by_role("button", name="Refresh").click()
    expect(page.get_by_role("heading", name="Get started")).to_be_visible()

    manta.blaxel.delete(visitor.until_ready())
    wait_until(lambda: visitor.sandbox()["status"] == "stopped", 40)
    page.reload()
    page.get_by_role("main").get_by_role("button", name="Recreate").click()
    visitor.until_ready()
    person.play.click()
    expect(facts).to_contain_text(re.compile("Active|Standby"))
    context.close()


@pytest.mark.exhaustive
def test_panes_and_agents_without_javascript(
    browser: Browser, manta: Manta, visitor: Visitor
) -> None:
    name = visitor.until_ready()
    context = browser.new_context(base_url=manta.url, java_script_enabled=False)
    page = context.new_page()
    Person(page, visitor.email).sign_in()
    expect(page.get_by_text("need JavaScript")).to_be_visible()

    page.get_by_role("link", name="starting a process").click()
    page.get_by_label("Command", exact=True).fill("sleep 1000")
    page.get_by_label("Name", exact=True).fill("job")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("heading", name="Get started")).to_be_visible()
    assert '"job"' in manta.blaxel.processes(name)

    page.get_by_role("link", name="ports", exact=True).click()
    page.get_by_role("link", name="Refresh ports").click()
    page.get_by_role("link", name="Make public… port 3000").click()
    page.get_by_role("button", name="Make public").click()
    page.goto("/workspace/inside/ports/")
    expect(page.get_by_role("main").get_by_text("Public until")).to_be_visible()

    page.goto("/sandbox/connect/")
    page.get_by_role("link", name="Codex").click()
    expect(page.get_by_role("heading", name="Codex")).to_be_visible()
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_text("It works")).to_be_visible()
    page.get_by_role("link", name="Agent activity").click()
    page.get_by_label("Search").fill("no such call")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("Nothing matches.")).to_be_visible()
    context.close()
