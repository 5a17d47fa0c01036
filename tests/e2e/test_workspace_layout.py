"""The workspace's panes, palette, shortcuts and settings, as a person at the keyboard has them."""

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.chromium import browser_of_a_phone
from tests.support.page_checks import OVERFLOW, TOO_SMALL, violations
from tests.support.page_states import Still
from tests.support.person import move_in, sign_in_as


@pytest.fixture
def address(still: Still) -> str:
    return still.url


@pytest.fixture
def workspace(page: Page, still: Still) -> Page:
    """The workspace of a sandbox that sleeps, so that nothing in it takes the keyboard."""
    still.show("asleep")
    move_in(page, still.visitor)
    expect(pane(page, "editor")).to_be_visible()
    return page


def pane(page: Page, name: str) -> Locator:
    return page.locator(f"#pane-{name}")


def divider(page: Page, name: str) -> Locator:
    return page.locator(f"[data-resizes={name}]")


def width(page: Page, name: str) -> float:
    box = pane(page, name).bounding_box()
    assert box
    return box["width"]


def options(page: Page) -> Locator:
    """Return the palette's entries."""
    return page.locator("#palette-list")


def find(page: Page, words: str) -> None:
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Files and commands")).to_be_focused()
    page.keyboard.type(words)


@pytest.mark.exhaustive
def test_a_divider_is_moved_by_arrow_keys_and_stays(workspace: Page, complaints: list[str]) -> None:
    before = width(workspace, "files")
    share = int(divider(workspace, "files").get_attribute("aria-valuenow") or "")

    divider(workspace, "files").focus()
    for _ in range(3):
        workspace.keyboard.press("ArrowRight")

    assert width(workspace, "files") == before + 72
    assert int(divider(workspace, "files").get_attribute("aria-valuenow") or "") > share
    workspace.reload()
    assert width(workspace, "files") == before + 72
    workspace.keyboard.press("F6")
    divider(workspace, "files").focus()
    workspace.keyboard.press("Enter")
    assert width(workspace, "files") == before
    assert complaints == []


@pytest.mark.exhaustive
def test_a_divider_is_dragged_and_put_back(workspace: Page) -> None:
    before = width(workspace, "preview")
    box = divider(workspace, "preview").bounding_box()
    assert box

    workspace.mouse.move(box["x"], 400)
    workspace.mouse.down()
    workspace.mouse.move(box["x"] - 100, 400, steps=4)
    workspace.mouse.up()
    assert width(workspace, "preview") == pytest.approx(before + 100, abs=2)

    divider(workspace, "preview").dblclick()
    assert width(workspace, "preview") == before


@pytest.mark.exhaustive
def test_a_divider_stops_where_a_pane_would_be_lost(workspace: Page) -> None:
    divider(workspace, "files").focus()

    workspace.keyboard.press("Home")
    assert width(workspace, "files") == 144
    workspace.keyboard.press("End")
    assert width(workspace, "files") == pytest.approx(0.4 * 1440, abs=1)
    # A step back is seen at once: nothing beyond the end was remembered.
    workspace.keyboard.press("ArrowLeft")
    assert width(workspace, "files") == pytest.approx(0.4 * 1440 - 24, abs=1)


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("keys", "name"), [("Control+b", "files"), ("Control+j", "dock"), ("Control+Alt+b", "preview")]
)
def test_a_pane_is_hidden_and_shown_by_keys(workspace: Page, keys: str, name: str) -> None:
    toggle = workspace.locator(f"[data-toggles={name}]")
    expect(toggle).to_have_attribute("aria-pressed", "true")

    workspace.keyboard.press(keys)
    expect(pane(workspace, name)).to_be_hidden()
    expect(divider(workspace, name)).to_be_hidden()
    expect(toggle).to_have_attribute("aria-pressed", "false")
    workspace.reload()
    expect(pane(workspace, name)).to_be_hidden()

    toggle.click()
    expect(pane(workspace, name)).to_be_visible()


@pytest.mark.exhaustive
def test_f6_goes_round_the_panes(workspace: Page) -> None:
    order = ["files", "editor", "terminal", "preview", "files"]
    for name in order:
        workspace.keyboard.press("F6")
        expect(pane(workspace, name).and_(workspace.locator(":focus-within"))).to_have_count(1)

    workspace.keyboard.press("Shift+F6")
    expect(pane(workspace, "preview").and_(workspace.locator(":focus-within"))).to_have_count(1)


@pytest.mark.exhaustive
def test_the_docks_tabs_follow_the_arrow_keys(workspace: Page) -> None:
    workspace.get_by_role("tab", name="Terminal").focus()

    workspace.keyboard.press("ArrowRight")
    expect(workspace.get_by_role("tab", name="Processes")).to_be_focused()
    expect(pane(workspace, "processes")).to_be_visible()
    expect(pane(workspace, "terminal")).to_be_hidden()
    workspace.keyboard.press("End")
    expect(pane(workspace, "ports")).to_be_visible()
    workspace.keyboard.press("ArrowRight")
    expect(workspace.get_by_role("tab", name="Terminal")).to_be_focused()


@pytest.mark.exhaustive
def test_whoever_asks_for_a_pane_gets_it(workspace: Page) -> None:
    workspace.keyboard.press("Control+j")

    workspace.evaluate(
        "document.body.dispatchEvent(new CustomEvent('pane:show', {detail: {pane: 'ports'}}))"
    )

    expect(pane(workspace, "ports")).to_be_visible()
    expect(workspace.get_by_role("tab", name="Ports")).to_have_attribute("aria-selected", "true")


def test_a_command_by_the_keyboard_alone(workspace: Page, complaints: list[str]) -> None:
    find(workspace, "drk thm")
    expect(options(workspace).get_by_role("option").first).to_have_text("Dark theme")
    workspace.keyboard.press("Enter")
    expect(workspace.locator("html")).to_have_attribute("data-theme", "dark")
    expect(workspace.locator("#palette")).to_be_hidden()

    # What was used last comes first.
    find(workspace, "")
    expect(options(workspace).get_by_role("option").first).to_have_text("Dark theme")
    workspace.keyboard.press("ArrowDown")
    expect(options(workspace).get_by_role("option").nth(1)).to_have_attribute(
        "aria-selected", "true"
    )
    workspace.keyboard.press("Escape")
    expect(workspace.locator("#palette")).to_be_hidden()
    assert complaints == []


@pytest.mark.exhaustive
def test_the_focus_returns_from_the_palette(workspace: Page) -> None:
    workspace.get_by_role("tab", name="Terminal").focus()

    find(workspace, "files")
    workspace.keyboard.press("Escape")

    expect(workspace.get_by_role("tab", name="Terminal")).to_be_focused()


@pytest.mark.exhaustive
def test_a_dialog_is_as_wide_as_it_was_made(workspace: Page) -> None:
    find(workspace, "")

    box = workspace.locator("#palette").bounding_box()
    assert box
    assert box["width"] == 34 * 16


@pytest.mark.exhaustive
def test_nothing_found_is_said(workspace: Page, still: Still) -> None:
    still.show("failed")
    workspace.reload()
    expect(workspace.get_by_role("button", name="Retry").first).to_be_visible()

    find(workspace, "zzzzzz")

    expect(workspace.locator("#palette-note")).to_have_text("Nothing matches.")
    assert violations(workspace) == []


@pytest.mark.exhaustive
def test_typing_wakes_nothing_and_enter_does(workspace: Page) -> None:
    workspace.evaluate(
        """() => {
          document.documentElement.dataset.inside = "asleep";
          document.body.addEventListener("inside:wanted", () => { window.wanted = true; });
        }"""
    )

    find(workspace, "zzzzzz")
    expect(options(workspace).get_by_role("option")).to_have_text(
        ["Wake the sandbox to find files"]
    )
    assert not workspace.evaluate("window.wanted")
    workspace.keyboard.press("Enter")

    assert workspace.evaluate("window.wanted")


@pytest.mark.exhaustive
def test_files_are_found_while_it_is_awake(workspace: Page, still: Still) -> None:
    still.show("active")
    expect(workspace.locator("html")).to_have_attribute("data-inside", "open")
    workspace.evaluate(
        """() => document.body.addEventListener("files:open", (event) => {
          window.opened = event.detail;
        })"""
    )

    find(workspace, "app.js")
    option = options(workspace).get_by_role("option", name="app.js")
    expect(option).to_contain_text("/blaxel/app/public/app.js")
    option.click()

    assert workspace.evaluate("window.opened.path") == "/blaxel/app/public/app.js"


@pytest.mark.exhaustive
def test_the_shortcuts_are_listed(workspace: Page) -> None:
    workspace.keyboard.press("?")

    listed = workspace.get_by_role("dialog", name="Keyboard shortcuts")
    expect(listed).to_contain_text("Find a file or a command")
    expect(listed).to_contain_text("Ctrl+K")
    expect(listed).to_contain_text("F6")
    assert violations(workspace) == []
    # No command runs behind an open dialog.
    workspace.keyboard.press("Control+b")
    workspace.keyboard.press("Escape")
    expect(listed).to_be_hidden()
    expect(pane(workspace, "files")).to_be_visible()


@pytest.mark.exhaustive
def test_what_is_typed_is_no_shortcut(workspace: Page) -> None:
    find(workspace, "why?")

    expect(workspace.locator("#palette-input")).to_have_value("why?")
    expect(workspace.locator("#shortcuts")).to_be_hidden()


@pytest.mark.exhaustive
def test_a_setting_is_kept_and_told(workspace: Page) -> None:
    workspace.evaluate(
        """() => document.body.addEventListener("setting:changed", (event) => {
          window.changed = event.detail;
        })"""
    )

    workspace.keyboard.press("Control+,")
    workspace.get_by_label("Word wrap").check()
    assert workspace.evaluate("window.changed") == {"name": "wordWrap", "value": "on"}
    assert violations(workspace) == []

    workspace.reload()
    workspace.get_by_role("button", name="Workspace settings").click()
    expect(workspace.get_by_label("Word wrap")).to_be_checked()


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("inside", "words"),
    [("asleep", "asleep"), ("connecting", "Connecting"), ("away", "does not answer")],
)
def test_a_pane_says_why_it_shows_nothing(workspace: Page, inside: str, words: str) -> None:
    workspace.evaluate("(inside) => { document.documentElement.dataset.inside = inside; }", inside)

    expect(pane(workspace, "files")).to_contain_text(re.compile(words))
    assert violations(workspace) == []


@pytest.mark.exhaustive
def test_falling_asleep_and_waking_keep_the_panes(workspace: Page, still: Still) -> None:
    pane(workspace, "files").evaluate("(pane) => { pane.dataset.kept = 'yes'; }")

    still.show("active")
    expect(workspace.locator("#play")).to_contain_text("Active")
    still.show("asleep")
    expect(workspace.locator("#play")).to_contain_text("Standby")

    expect(pane(workspace, "files")).to_have_attribute("data-kept", "yes")


def test_one_pane_at_a_time_on_a_phone(browser: Browser, still: Still) -> None:
    still.show("asleep")
    context = browser.new_context(base_url=still.url, **browser_of_a_phone())
    phone = context.new_page()
    sign_in_as(phone, still.visitor)
    phone.goto("/workspace/")
    expect(pane(phone, "preview")).to_be_visible()

    for name in ("Files", "Editor", "Terminal", "Processes", "Ports", "Preview", "Files"):
        button = phone.get_by_role("navigation", name="Panes").get_by_role("button", name=name)
        button.click()
        expect(button).to_have_attribute("aria-current", "true")
        expect(pane(phone, name.lower())).to_be_visible()
        expect(phone.locator(".pane:visible")).to_have_count(1)
        assert phone.evaluate(OVERFLOW) == 0
        assert phone.evaluate(TOO_SMALL) == []
    assert violations(phone) == []
    phone.reload()
    expect(pane(phone, "files")).to_be_visible()
    context.close()


@pytest.mark.exhaustive
def test_twice_the_size_is_a_phones_layout(workspace: Page) -> None:
    # What zooming to 200 % does to a page 1440 pixels wide.
    workspace.set_viewport_size({"width": 720, "height": 450})

    expect(workspace.get_by_role("navigation", name="Panes")).to_be_visible()
    expect(workspace.locator(".pane:visible")).to_have_count(1)
    assert workspace.evaluate(OVERFLOW) == 0


@pytest.mark.exhaustive
def test_without_javascript_the_preview_works(browser: Browser, still: Still) -> None:
    still.show("asleep")
    context = browser.new_context(base_url=still.url, java_script_enabled=False)
    page = context.new_page()
    sign_in_as(page, still.visitor)

    page.goto("/workspace/")

    expect(page.get_by_text("need JavaScript")).to_be_visible()
    expect(page.get_by_role("button", name="Show preview")).to_be_visible()
    expect(pane(page, "files")).to_be_hidden()
    context.close()
