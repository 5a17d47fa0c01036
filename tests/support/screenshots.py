"""`make screenshots`: a gallery of every page and state, in both themes, on desk and phone."""

import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, expect

from tests.support import chromium, sample_activity, workspace_scenes
from tests.support.gallery import PICTURES, THEMES, Picture, index_page
from tests.support.manta_process import Parts, ways_in
from tests.support.oauth_provider import Provider
from tests.support.page_states import Still, held
from tests.support.person import move_in
from tests.support.prepared_state import prepare
from tests.support.supervisor import new_state_dir

# Not in git.
GALLERY = Path(__file__).resolve().parents[2] / "screenshots"
SIZES: dict[str, dict[str, Any]] = {
    "": {"viewport": {"width": 1440, "height": 900}},
    "-phone": chromium.browser_of_a_phone() | {"device_scale_factor": 1},
}


def main(arguments: list[str]) -> int:
    path = chromium.find()
    if path is None:
        print(f"Pictures need Chromium: {' or '.join(chromium.NAMES)}.", file=sys.stderr)
        return 1
    # `make screenshots` takes all of them; a name or two on the command line, these.
    wanted = [each for each in PICTURES if not arguments or each.name in arguments]
    GALLERY.mkdir(exist_ok=True)
    (GALLERY / "index.html").write_text(index_page())
    expect.set_options(timeout=30_000)
    with new_state_dir() as state_dir, Provider() as provider:
        prepare(state_dir)
        parts = Parts(state_dir)
        parts.extra = ways_in(provider.url)
        with (
            parts,
            held(parts, "alice@example.com", beforehand=sample_activity.check) as still,
            chromium.running(path) as browser,
        ):
            work(browser, still)
            # Pages before what is done in the workspace, and is on record then.
            for picture in sorted(wanted, key=lambda each: each.name.split("/")[0]):
                take(browser, still, picture)
    print(f"{GALLERY / 'index.html'} shows them.")
    return 0


def take(browser: Browser, still: Still, picture: Picture) -> None:
    for size in picture.sizes:
        with browser.new_context(
            base_url=still.url, reduced_motion="reduce", **SIZES[size]
        ) as context:
            page = picture.show(context.new_page(), still)
            for theme in THEMES:
                page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                page.evaluate(chromium.UNTIL_STILL)
                page.screenshot(path=GALLERY / f"{picture.name}{size}-{theme}.png")


def work(browser: Browser, still: Still) -> None:
    """What the pages show afterwards: a day's beginning."""
    still.confirm_address(still.visitor.email)
    still.show("active")
    sample_activity.leave(still.visitor)
    sample_activity.use_tools(
        still.visitor, sample_activity.make_token(still.visitor, "Code review")
    )
    with browser.new_context(base_url=still.url) as context:
        page = context.new_page()
        move_in(page, still.visitor)
        workspace_scenes.terminal(page)
        page.locator(".terminal-panel:visible textarea").focus()
        page.keyboard.type("cd /blaxel/app && ls -l\n")
        expect(page.locator("#pane-terminal")).to_contain_text("README.md")
        page.goto("/sandbox/connect/")
        page.get_by_role("button", name="Test", exact=True).click()
        expect(page.get_by_text("It works")).to_be_visible()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
