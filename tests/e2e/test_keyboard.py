"""A day's work without a mouse; wherever the keyboard is, one sees it."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.manta_process import Manta
from tests.support.person import Person, move_in
from tests.support.visitor import PASSWORD, Visitor
from tests.support.waiting import wait_until

# What has the focus; and whether it, or what is drawn with it, looks another way without.
AT = """
() => {
  const { activeElement: at, body } = document;
  if (at === body) return ["", true];
  if (at.matches("iframe")) return ["The page inside", true];
  const parts = [at, at.firstElementChild].filter(Boolean);
  const style = (part, of) => {
    const { outlineStyle, boxShadow, backgroundColor, content } = getComputedStyle(part, of);
    return [outlineStyle, boxShadow, backgroundColor, content];
  };
  const both = (part) => [style(part), style(part, "::after")];
  const look = () => String(parts.flatMap(both));
  const focused = look();
  at.blur();
  const left = look();
  at.focus({ focusVisible: true });
  return [at.outerHTML.slice(0, 100), focused !== left];
}
"""


def tab_to(page: Page, target: Locator) -> None:
    expect(target).to_be_visible()

    def arrived() -> bool:
        page.keyboard.press("Tab")
        return bool(target.evaluate("(element) => element === document.activeElement"))

    wait_until(arrived, 60)


def command(page: Page, name: str) -> None:
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Files and commands")).to_be_focused()
    page.keyboard.type(name)
    expect(page.locator("#palette-list [aria-selected=true]")).to_contain_text(name)
    page.keyboard.press("Enter")


def wake(page: Page) -> None:
    """Have the sandbox awake, which it stays while the page listens to it."""
    page.locator("html[data-inside=open], html[data-inside=asleep]").wait_for()
    if page.locator("html[data-inside=asleep]").count():
        tab_to(page, page.locator("#pane-files [data-wake]:visible"))
        page.keyboard.press("Enter")
    expect(page.locator("html[data-inside=open]")).to_be_attached()


def test_a_day_without_the_mouse(
    page: Page, manta: Manta, visitor: Visitor, complaints: list[str]
) -> None:
    page.goto("/accounts/login/")
    tab_to(page, page.get_by_label("Email"))
    page.keyboard.type(visitor.email)
    tab_to(page, page.get_by_label("Password"))
    page.keyboard.type(f"{PASSWORD}\n")
    expect(page).to_have_url(re.compile("/workspace/$"))
    expect(page.locator("html[data-inside]")).to_be_attached()  # its scripts have run

    wake(page)
    tree = page.get_by_role("tree", name="Files")
    page.keyboard.press("Control+Shift+E")
    expect(tree.get_by_role("treeitem", name="public")).to_be_visible()
    tab_to(page, tree.get_by_role("treeitem").first)
    page.keyboard.type("pub")
    page.keyboard.press("ArrowRight")
    expect(tree.get_by_role("treeitem", name="index.html")).to_be_visible()
    page.keyboard.type("index")
    page.keyboard.press("Enter")
    expect(page.locator(".cm-content")).to_be_focused()
    page.keyboard.type("By keyboard alone")
    page.keyboard.press("Control+s")
    expect(page.locator("[data-editor-state]")).to_have_text("Saved")

    page.keyboard.press("Control+Shift+Backquote")
    expect(page.locator(".terminal-panel:visible textarea")).to_be_focused()
    page.keyboard.type("echo on''ce\n")
    expect(page.locator("#pane-terminal .xterm-rows")).to_contain_text("once")

    page.keyboard.press("F6")
    command(page, "Start a process")
    expect(page.get_by_label("Command", exact=True)).to_be_focused()
    page.keyboard.type("sleep 1000")
    tab_to(page, page.get_by_label("Name", exact=True))
    page.keyboard.type("job\n")
    expect(page.locator("[data-process=job]")).to_contain_text("running")

    command(page, "Reload the preview")
    expect(Person(page).preview.get_by_text("By keyboard alone")).to_be_visible()
    page.keyboard.press("Control+Shift+F")
    expect(page.get_by_label("Search files")).to_be_focused()
    page.keyboard.type("By keyboard")
    expect(page.get_by_role("button", name=re.compile(r"index\.html:1"))).to_be_visible()
    assert complaints == []


@pytest.mark.exhaustive
def test_one_always_sees_where_one_is(page: Page, manta: Manta, visitor: Visitor) -> None:
    move_in(page, visitor)
    expect(page.get_by_role("treeitem", name="serve.mjs")).to_be_visible()
    page.keyboard.press("Tab")
    stops = [page.evaluate(AT)]

    def is_round() -> bool:
        page.keyboard.press("Tab")
        stops.append(page.evaluate(AT))
        return stops[-1][0] in ("", stops[0][0])

    wait_until(is_round, 120)

    assert len(stops) > 25
    assert [stop for stop, is_seen in stops if not is_seen] == []
