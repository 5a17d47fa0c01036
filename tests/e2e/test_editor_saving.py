"""Saving in the editor: nothing on disk is overwritten unseen."""

import pytest
from playwright.sync_api import Request, Route, expect

from tests.support.editor_page import PAGE, Disk, Pane
from tests.support.waiting import wait_until


def test_what_is_saved_is_in_the_preview(pane: Pane, disk: Disk, complaints: list[str]) -> None:
    pane.page.locator(f"[data-opens-file='{PAGE}']").click()
    expect(pane.text).to_contain_text("doctype")

    pane.type("Typed in the editor")
    pane.reads("Unsaved")
    pane.save()
    pane.reads("Saved")

    frame = pane.page.frame_locator("iframe[name=preview]")
    pane.page.get_by_role("button", name="Reload the preview").click()
    expect(frame.get_by_text("Typed in the editor")).to_be_visible()
    assert disk.read(PAGE).startswith("Typed in the editor<!doctype")
    assert complaints == []


@pytest.mark.exhaustive
def test_what_is_typed_before_the_colours_come_is_saved(pane: Pane, disk: Disk) -> None:
    disk.write("/blaxel/a.txt", "first\n")
    disk.write("/blaxel/a.py", "first\n")
    pane.open("/blaxel/a.txt")
    expect(pane.text).to_have_text("first")
    colours: list[Route] = []
    pane.page.route("**/vendor/*", lambda route: colours.append(route), times=1)

    pane.open("/blaxel/a.py")
    pane.type("early ")
    pane.reads("Unsaved")
    wait_until(lambda: pane.page.title() and colours)
    colours[0].continue_()
    expect(pane.page.locator("[data-editor-language]")).to_have_text("Python")
    pane.reads("Unsaved")
    pane.save()

    pane.reads("Saved")
    assert disk.read("/blaxel/a.py") == "early first\n"


def test_what_changed_meanwhile_is_not_overwritten(pane: Pane, disk: Disk) -> None:
    disk.write("/blaxel/a.txt", "first\n")
    pane.open("/blaxel/a.txt")
    pane.type("mine ")
    disk.write("/blaxel/a.txt", "theirs\n")

    pane.save()

    pane.says("Left: on disk")
    assert disk.read("/blaxel/a.txt") == "theirs\n"
    pane.press("Keep mine")
    pane.reads("Saved")
    assert disk.read("/blaxel/a.txt") == "mine first\n"


@pytest.mark.exhaustive
def test_theirs_can_be_taken(pane: Pane, disk: Disk) -> None:
    disk.write("/blaxel/a.txt", "first\n")
    pane.open("/blaxel/a.txt")
    pane.type("mine ")
    disk.write("/blaxel/a.txt", "theirs\n")
    pane.tell("files:changed", {"changes": [{"path": "/blaxel/a.txt", "kind": "modified"}]})
    pane.says("Changed on disk meanwhile")

    pane.press("Compare")
    pane.press("Take theirs")

    pane.reads("Saved")
    expect(pane.text).to_have_text("theirs")


@pytest.mark.exhaustive
def test_an_untouched_file_follows_the_disk(pane: Pane, disk: Disk) -> None:
    disk.write("/blaxel/a.txt", "first\n")
    pane.open("/blaxel/a.txt")
    expect(pane.text).to_have_text("first")

    disk.write("/blaxel/a.txt", "second\n")
    pane.tell("files:changed", {"changes": [{"path": "/blaxel/a.txt", "kind": "modified"}]})

    expect(pane.text).to_have_text("second")
    pane.reads("Saved")


def test_what_is_not_saved_is_asked_about_before_it_closes(pane: Pane, disk: Disk) -> None:
    disk.write("/blaxel/a.txt", "first\n")
    pane.open("/blaxel/a.txt")
    expect(pane.text).to_have_text("first")
    tab = pane.page.get_by_role("tab", name="a.txt")
    asked = pane.page.get_by_role("dialog", name="Save a.txt?")
    pane.type("one ")

    pane.page.keyboard.press("Alt+w")
    expect(asked).to_be_visible()
    pane.page.keyboard.press("Escape")
    expect(pane.text).to_have_text("one first")
    pane.page.keyboard.press("Alt+w")
    asked.get_by_role("button", name="Save").click()
    expect(tab).to_have_count(0)
    assert disk.read("/blaxel/a.txt") == "one first\n"

    pane.open("/blaxel/a.txt")
    expect(pane.text).to_have_text("one first")
    pane.type("two ")
    pane.until_kept("/blaxel/a.txt")
    pane.page.keyboard.press("Alt+w")
    asked.get_by_role("button", name="Discard").click()
    expect(tab).to_have_count(0)
    assert pane.kept() == []
    assert disk.read("/blaxel/a.txt") == "one first\n"


CLOSES_TWICE = """
() => {
  const close = { key: "w", code: "KeyW", altKey: true, bubbles: true, cancelable: true };
  document.activeElement.dispatchEvent(new KeyboardEvent("keydown", close));
  document.getElementById("editor-closing").close();
  document.activeElement.dispatchEvent(new KeyboardEvent("keydown", close));
}
"""


@pytest.mark.exhaustive
def test_asked_again_at_once_the_answer_is_to_the_second_question(pane: Pane, disk: Disk) -> None:
    disk.write("/blaxel/a.txt", "first\n")
    pane.open("/blaxel/a.txt")
    expect(pane.text).to_have_text("first")
    pane.type("one ")

    pane.page.evaluate(CLOSES_TWICE)
    asked = pane.page.get_by_role("dialog", name="Save a.txt?")
    asked.get_by_role("button", name="Save").click()

    expect(pane.page.get_by_role("tab", name="a.txt")).to_have_count(0)
    assert disk.read("/blaxel/a.txt") == "one first\n"


@pytest.mark.exhaustive
def test_a_deleted_file_can_be_saved_as_new(pane: Pane, disk: Disk) -> None:
    disk.write("/blaxel/a.txt", "first\n")
    pane.open("/blaxel/a.txt")
    expect(pane.text).to_have_text("first")
    disk.delete("/blaxel/a.txt")
    pane.tell("files:changed", {"changes": [{"path": "/blaxel/a.txt", "kind": "deleted"}]})

    pane.says("Deleted on disk")
    pane.press("Save as new")

    pane.reads("Saved")
    assert disk.read("/blaxel/a.txt") == "first\n"


@pytest.mark.exhaustive
def test_ends_of_lines_stay_as_they_are(pane: Pane, disk: Disk) -> None:
    disk.write("/blaxel/a.txt", "one\r\ntwo\r\n")
    pane.open("/blaxel/a.txt")
    expect(pane.text).to_contain_text("one")

    pane.type("x")
    pane.save()
    pane.reads("Saved")

    assert disk.read("/blaxel/a.txt") == "xone\r\ntwo\r\n"


FILES = "/api/sandbox/files"


def test_what_was_saved_is_not_read_back(pane: Pane, disk: Disk) -> None:
    for name in ("b", "a"):
        disk.write(f"/blaxel/{name}.txt", "first\n")
    pane.until_told(disk)
    for name in ("b", "a"):
        pane.open(f"/blaxel/{name}.txt")
        expect(pane.text).to_have_text("first")
    pane.follows("/blaxel/a.txt", disk)
    asked: list[str] = []

    def note(request: Request) -> None:
        if f"{FILES}?" in request.url or request.url.endswith(FILES):
            asked.append(f"{request.method} {request.url.partition(FILES)[2]}")

    pane.page.on("request", note)
    with pane.told_late("/blaxel/a.txt"):
        pane.type("mine ")
        pane.save()
        pane.reads("Saved")
    # Files are read in the order in which their changes were told.
    disk.write("/blaxel/b.txt", "second\n")

    wait_until(lambda: pane.page.title() and any("b.txt" in each for each in asked))
    assert asked == ["PUT ", "GET ?path=%2Fblaxel%2Fb.txt"]


@pytest.mark.exhaustive
@pytest.mark.parametrize("is_answered", [False, True], ids=["before", "after"])
def test_what_follows_a_save_at_once_is_read(pane: Pane, disk: Disk, is_answered: bool) -> None:
    """A program formats each file that is saved: before the answer, or after it."""
    disk.write("/blaxel/a.txt", "first\n")
    pane.until_told(disk)
    pane.open("/blaxel/a.txt")
    expect(pane.text).to_have_text("first")
    pane.follows("/blaxel/a.txt", disk)

    def save(route: Route) -> None:
        answer = route.fetch()
        if is_answered:
            route.fulfill(response=answer)
        disk.run("printf formatted > /blaxel/a.txt")
        if not is_answered:
            route.fulfill(response=answer)

    pane.page.route(f"**{FILES}", save, times=1)
    with pane.told_late("/blaxel/a.txt"):
        pane.type("mine ")
        pane.save()
        pane.reads("Saved")

    expect(pane.text).to_have_text("formatted")
    pane.reads("Saved")


# What a file of it holds, in printf's words.
ODD_TEXTS = {
    "late-nul": r"%09000d\0end\n",
    "mark": r"\357\273\277one\n",
    "mixed": r"one\r\ntwo\nthree\rfour\r\r\nfive",
    "crlf": r"one\r\ntwo\rtwo\r\n",
    "separators": r"a\342\200\250b\302\205c\014d\n",
}


@pytest.mark.exhaustive
def test_a_change_leaves_every_other_byte_as_it_was(pane: Pane, disk: Disk) -> None:
    others = {}
    for name, text in ODD_TEXTS.items():
        path = f"/blaxel/{name}.txt"
        disk.make(path, f"printf '{text}'")
        before = disk.read_bytes(path)
        pane.open(path)
        expect(pane.text).to_be_focused()

        pane.type("x")
        pane.reads("Unsaved")
        pane.save()
        pane.reads("Saved")

        if (after := disk.read_bytes(path)) != b"x" + before:
            others[name] = after
    assert others == {}


@pytest.mark.exhaustive
def test_what_can_not_be_changed_opens_read_only_with_the_reason(pane: Pane, disk: Disk) -> None:
    disk.make("/blaxel/kept.txt", "echo kept")
    disk.make("/blaxel/wide.txt", r"printf '\377\376h\0i\0'")
    disk.make("/dev/null", "chmod 444 /blaxel/kept.txt; true")

    pane.open("/blaxel/kept.txt")
    pane.says("You may not change this file in the sandbox.")
    pane.reads("Read only")
    expect(pane.text).to_have_text("kept")
    pane.open("/blaxel/wide.txt")
    pane.press("Open read-only")
    pane.says("This text is not UTF-8.")
    pane.reads("Read only")

    expect(pane.text).to_contain_text("hi")


@pytest.mark.exhaustive
def test_saving_by_itself_is_a_setting(pane: Pane, disk: Disk) -> None:
    disk.write("/blaxel/a.txt", "first\n")
    pane.page.get_by_role("button", name="Workspace settings").click()
    pane.page.get_by_label("Auto-save").check()
    pane.page.keyboard.press("Escape")
    pane.open("/blaxel/a.txt")
    expect(pane.text).to_have_text("first")

    pane.type("auto ")

    pane.reads("Saved")
    assert disk.read("/blaxel/a.txt") == "auto first\n"
