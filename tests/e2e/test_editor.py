"""The editor: what it opens, and that it stays smooth and light."""

import pytest
from playwright.sync_api import Page, Request, expect

from tests.support.editor_page import PAGE, Disk, Pane
from tests.support.person import move_in
from tests.support.visitor import Visitor

# A pixel.
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)
FIRST_LOAD_KB = 350


@pytest.mark.exhaustive
def test_what_is_no_text_is_shown_as_what_it_is(pane: Pane, disk: Disk) -> None:
    disk.make("/blaxel/pixel.png", f"echo {PNG} | base64 -d")
    disk.make("/blaxel/raw.bin", "printf 'a\\0b'")
    disk.make("/blaxel/latin.txt", "printf 'K\\344se'")
    disk.make("/blaxel/huge.txt", "head -c 6000000 /dev/zero")

    pane.open("/blaxel/pixel.png")
    expect(pane.page.get_by_role("img", name="pixel.png")).to_have_js_property("naturalWidth", 1)
    pane.open("/blaxel/raw.bin")
    expect(pane.page.get_by_text("This file is not text.")).to_be_visible()
    pane.open("/blaxel/huge.txt")
    expect(pane.page.get_by_text("too large to be edited")).to_be_visible()
    pane.open("/blaxel/latin.txt")
    pane.press("Open read-only")
    pane.reads("Read only")
    pane.open("/blaxel/never-was.txt")
    expect(pane.page.get_by_text("no longer there")).to_be_visible()


def test_a_moved_file_stays_open(pane: Pane, disk: Disk) -> None:
    disk.write("/blaxel/a.txt", "first\n")
    pane.open("/blaxel/a.txt")
    pane.type("mine ")

    pane.tell("files:moved", {"source": "/blaxel/a.txt", "destination": "/blaxel/b.py"})

    expect(pane.page.get_by_role("tab", name="b.py, not saved")).to_be_visible()
    expect(pane.page.locator("[data-editor-language]")).to_have_text("Python")


@pytest.mark.exhaustive
def test_the_keyboard_alone_is_enough(pane: Pane, disk: Disk) -> None:
    keyboard = pane.page.keyboard
    disk.write("/blaxel/a.txt", "alpha\nbeta\n")
    pane.open(PAGE)
    pane.open("/blaxel/a.txt")
    expect(pane.text).to_be_focused()

    keyboard.press("Control+g")
    keyboard.type("2")
    keyboard.press("Enter")
    expect(pane.page.locator("[data-editor-position]")).to_have_text("Ln 2, Col 1")
    keyboard.press("Control+f")
    keyboard.type("alpha")
    keyboard.press("Enter")
    keyboard.press("Escape")
    pane.page.get_by_role("tab", name="a.txt").focus()
    keyboard.press("ArrowLeft")
    expect(pane.page.get_by_role("tab", name="index.html")).to_be_focused()
    keyboard.press("Delete")

    expect(pane.page.get_by_role("tab", name="index.html")).to_have_count(0)
    expect(pane.page.get_by_role("tab", name="a.txt")).to_be_focused()


@pytest.mark.exhaustive
def test_five_megabytes_are_typed_into_and_saved(pane: Pane, disk: Disk) -> None:
    disk.make("/blaxel/long.js", "yes 'const a = 1; // some words' | head -n 190000")
    pane.open("/blaxel/long.js")
    expect(pane.text).to_contain_text("some words")
    expect(pane.page.locator("[data-editor-language]")).to_contain_text("large file")

    pane.type("every letter of a sentence")
    pane.until_kept("/blaxel/long.js")
    pane.save()
    pane.reads("Saved")

    assert disk.read("/blaxel/long.js").startswith("every letter of a sentence")


@pytest.mark.exhaustive
def test_the_workspace_is_light(page: Page, visitor: Visitor) -> None:
    sizes: dict[str, int] = {}

    def weigh(request: Request) -> None:
        # What is asked again and again while the page is open counts once.
        sizes.setdefault(request.url.partition("?v=")[0], request.sizes()["responseBodySize"])

    page.context.on("requestfinished", weigh)
    pane = Pane(move_in(page, visitor).page)
    page.route("**/*.localhost*/**", lambda route: route.abort())

    pane.open(PAGE)
    expect(pane.text).to_contain_text("doctype")
    page.locator("#pane-terminal").get_by_role("button", name="New terminal").first.click()
    expect(page.locator(".xterm-screen").first).to_be_visible()

    assert 100_000 < sum(sizes.values()) < FIRST_LOAD_KB * 1000
