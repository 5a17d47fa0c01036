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
    with (
        prepared_state() as state_dir,
        Parts(state_dir) as parts,
        held(parts, "alice@example.com") as still,
        chromium.running(path) as browser,
    ):
        take_all(browser, still)
    return 0


def take_all(browser: Browser, still: Still) -> None:
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


def landing(page: Page, still: Still) -> Page:
    page.goto("/")
    return page


def account(page: Page, still: Still) -> Page:
    still.show("asleep")
    sign_in_as(page, still.visitor)
    page.goto("/account/")
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
    "provisioning": workspace("provisioning"),
    "asleep": workspace("asleep"),
    "failed": workspace("failed"),
    "expired": workspace("deleted"),
    "expiring": workspace("expiring"),
    "more": more,
    "delete": delete,
    "account": account,
    "error": error,
}

if __name__ == "__main__":
    sys.exit(main())
