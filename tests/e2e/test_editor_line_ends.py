"""Line ends in the editor: those of the file, whatever is put into it."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.editor_page import Disk, Pane

# Lines as each kind of system ends them.
FOREIGN = "1\r\n2\r3\n"
LINES = ["1", "2", "3", "one", "two", ""]

DROPS = """
(element, text) => {
  const dataTransfer = new DataTransfer();
  dataTransfer.setData("text/plain", text);
  const { left, top } = element.querySelector(".cm-line").getBoundingClientRect();
  const where = { clientX: left + 1, clientY: top + 1, bubbles: true, cancelable: true };
  element.dispatchEvent(new DragEvent("drop", { dataTransfer, ...where }));
}
"""


def paste(page: Page, pane: Pane, text: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("(text) => navigator.clipboard.writeText(text)", text)
    assert page.evaluate("navigator.clipboard.readText()") == text
    pane.text.focus()
    page.keyboard.press("Control+Home")
    page.keyboard.press("Control+v")


def drop(page: Page, pane: Pane, text: str) -> None:
    pane.text.evaluate(DROPS, text)


@pytest.mark.exhaustive
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("put", [paste, drop])
def test_what_is_put_in_ends_its_lines_as_the_file_does(
    page: Page, pane: Pane, disk: Disk, put, end: str
) -> None:
    disk.write("/blaxel/a.txt", f"one{end}two{end}")
    pane.open("/blaxel/a.txt")
    expect(pane.text).to_contain_text("two")

    put(page, pane, FOREIGN)
    pane.reads("Unsaved")
    pane.save()
    pane.reads("Saved")

    assert disk.read_bytes("/blaxel/a.txt").decode() == end.join(LINES)


@pytest.mark.exhaustive
def test_lines_that_are_copied_or_replaced_end_as_the_file_does(
    page: Page, pane: Pane, disk: Disk
) -> None:
    disk.write("/blaxel/a.txt", "one\r\ntwo\r\nthree\r\n")
    pane.open("/blaxel/a.txt")
    expect(pane.text).to_contain_text("three")

    pane.type("")
    for key in ("Shift+ArrowDown", "Shift+ArrowRight", "Shift+Alt+ArrowDown"):
        page.keyboard.press(key)
    page.keyboard.press("Control+f")
    page.get_by_role("textbox", name="Find").fill("three")
    page.get_by_role("textbox", name="Replace").fill(r"3\n4")
    page.get_by_role("button", name="replace all").click()
    pane.reads("Unsaved")
    pane.save()
    pane.reads("Saved")

    text = disk.read_bytes("/blaxel/a.txt").decode()
    assert text == "\r\n".join(["one", "two", "one", "two", "3", "4", ""])


def test_a_file_that_mixes_line_ends_gets_one_kind_of_new_ones(
    page: Page, pane: Pane, disk: Disk
) -> None:
    disk.make("/blaxel/a.txt", r"printf 'one\r\ntwo\nthree\rfour'")
    pane.open("/blaxel/a.txt")
    expect(pane.text).to_contain_text("four")

    paste(page, pane, FOREIGN)
    pane.reads("Unsaved")
    pane.save()
    pane.reads("Saved")

    assert disk.read_bytes("/blaxel/a.txt") == b"1\n2\n3\none\r\ntwo\nthree\rfour"
