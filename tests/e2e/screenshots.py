"""`make screenshots`: pictures of the pages, in both themes, on a desk and on a phone."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, Page, expect

from tests.e2e import chromium
from tests.e2e.manta import Parts, prepared_state
from tests.e2e.person import Person, hears_no_news, move_in, sign_in_as
from tests.e2e.states import Still, held
from tests.e2e.test_accessibility import asking

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "img"
SIZES: dict[str, dict[str, Any]] = {
    "": {"viewport": {"width": 1440, "height": 900}},
    "-phone": chromium.browser_of_a_phone() | {"device_scale_factor": 1},
}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# Goes there in a new tab, and returns the tab to be pictured.
Scene = Callable[[Page, Still], Page]


def main() -> int:
    path = chromium.find()
    if path is None:
        print(f"Pictures need Chromium: {' or '.join(chromium.NAMES)}.", file=sys.stderr)
        return 1
    PICTURES.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=30_000)
    with (
        prepared_state() as state_dir,
        Parts(state_dir) as parts,
        held(parts, "alice@example.com") as still,
        chromium.running(path) as browser,
    ):
        take_all(browser, still)
    return 0


def take_all(browser: Browser, still: Still) -> None:
    work(browser, still)
    for name, scene in SCENES.items():
        take(browser, still, name, scene)


def take(browser: Browser, still: Still, name: str, scene: Scene) -> None:
    for suffix, size in SIZES.items():
        for theme in THEMES:
            with browser.new_context(
                base_url=still.url, color_scheme=theme, reduced_motion="reduce", **size
            ) as context:
                page = scene(context.new_page(), still)
                page.evaluate(chromium.UNTIL_STILL)
                page.screenshot(path=PICTURES / f"{name}{suffix}-{theme}.png")


def work(browser: Browser, still: Still) -> None:
    """What the terminal and the agents' record show afterwards: a day's beginning."""
    still.show("active")
    with browser.new_context(
        base_url=still.url, viewport={"width": 1440, "height": 900}
    ) as context:
        page = context.new_page()
        move_in(page, still.visitor)
        page.locator("#pane-terminal").get_by_role("button", name="New terminal").first.click()
        see_terminal(page)
        page.keyboard.type("cd /blaxel/app && ls -l\n")
        expect(page.locator("#pane-terminal")).to_contain_text("README.md")
        page.goto("/sandbox/connect/")
        page.get_by_role("button", name="Test", exact=True).click()
        expect(page.get_by_text("It works")).to_be_visible()


def workspace(state: str) -> Scene:
    """The workspace in one state; beside it, or on a phone over it, the panel."""

    def scene(page: Page, still: Still) -> Page:
        still.show(state)
        person = move_in(page, still.visitor)
        if state == "active":
            see_preview(person)
        person.play.click()
        expect(person.panel).to_be_visible()
        return page

    return scene


def more(page: Page, still: Still) -> Page:
    """The panel with what is needed seldom."""
    workspace("asleep")(page, still)
    page.locator("#panel-more summary").click()
    page.locator("#panel-delete").scroll_into_view_if_needed()
    return page


def delete(page: Page, still: Still) -> Page:
    still.show("unsaved")
    sign_in_as(page, still.visitor)
    page.goto("/sandbox/delete/")
    return page


def see_preview(person: Person) -> None:
    expect(person.preview.get_by_role("heading", level=1)).to_be_visible()


def preview(page: Page, still: Still) -> Page:
    """The workspace with the panel closed."""
    still.show("active")
    see_preview(move_in(page, still.visitor))
    return page


def show_pane(page: Page, name: str) -> None:
    """As a link in another pane would; a phone's switcher has no counterpart on a desk."""
    page.evaluate(
        "(pane) => document.body.dispatchEvent(new CustomEvent('pane:show', { detail: { pane } }))",
        name,
    )


def see_terminal(page: Page) -> None:
    expect(page.locator("#pane-terminal [data-terminal=words]")).to_have_text("Connected")


def editor(page: Page, still: Still) -> Page:
    """A day's work: a file of the starter's, the terminal and the page."""
    preview(page, still)
    show_pane(page, "terminal")
    see_terminal(page)
    show_pane(page, "editor")
    page.get_by_role("button", name="/blaxel/app/public/index.html").click()
    # Colours come from above, a few lines at a time.
    late = page.locator("#pane-editor .cm-line").filter(has_text="<h2>").first
    expect(late.locator("span").first).to_be_visible()
    return page


def in_the_dock(name: str, words: str) -> Scene:
    """Beside an open file, one of the dock's panes with what it lists."""

    def scene(page: Page, still: Still) -> Page:
        editor(page, still)
        show_pane(page, name)
        expect(page.locator(f"#pane-{name}")).to_contain_text(words)
        return page

    return scene


def files(page: Page, still: Still) -> Page:
    """The tree as it is found, while no file is open."""
    preview(page, still)
    show_pane(page, "files")
    expect(page.get_by_role("tree").get_by_text("serve.mjs")).to_be_visible()
    return page


def page_at(path: str) -> Scene:
    def scene(page: Page, still: Still) -> Page:
        still.show("asleep")
        sign_in_as(page, still.visitor)
        page.goto(path)
        return page

    return scene


def consent(page: Page, still: Still) -> Page:
    """What an agent asks of its person."""
    return page_at(asking(still))(page, still)


def landing(page: Page, still: Still) -> Page:
    page.goto("/")
    return page


def error(page: Page, still: Still) -> Page:
    """Open, pressed in a page that doesn't know yet that the sandbox is being made anew."""
    hears_no_news(page)
    still.show("asleep")
    move_in(page, still.visitor)
    still.show("provisioning")
    with page.context.expect_page() as opening:
        page.locator("#preview-open").click()
    expect(opening.value.get_by_role("heading", level=1)).to_be_visible()
    return opening.value


SCENES: dict[str, Scene] = {
    "landing": landing,
    "workspace": workspace("active"),
    "preview": preview,
    "editor": editor,
    "files": files,
    "terminal": in_the_dock("terminal", "README.md"),
    "processes": in_the_dock("processes", "starter"),
    "ports": in_the_dock("ports", "3000"),
    "provisioning": workspace("provisioning"),
    "asleep": workspace("asleep"),
    "failed": workspace("failed"),
    "expired": workspace("deleted"),
    "expiring": workspace("expiring"),
    "more": more,
    "delete": delete,
    "account": page_at("/account/"),
    "connect": page_at("/sandbox/connect/"),
    "consent": consent,
    "agents": page_at("/sandbox/agents/"),
    "error": error,
}

if __name__ == "__main__":
    sys.exit(main())
