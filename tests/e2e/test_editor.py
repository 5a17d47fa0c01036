"""The editor: nothing that is typed is lost, nothing on disk is overwritten unseen."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from tests.e2e.manta import Manta
from tests.e2e.person import move_in
from tests.e2e.visitor import Visitor
from tests.local_blaxel.running import until

PAGE = "/blaxel/app/public/index.html"
# A pixel.
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)
FIRST_LOAD_KB = 350
LONGEST_TASK = """
() => {
  window.longest = 0;
  new PerformanceObserver((list) => {
    for (const task of list.getEntries()) window.longest = Math.max(window.longest, task.duration);
  }).observe({ type: "longtask" });
}
"""


class Disk:
    """The sandbox's files, as somebody else changes them."""

    def __init__(self, manta: Manta, visitor: Visitor) -> None:
        self.http = visitor.http
        self.blaxel = manta.blaxel
        self.name = visitor.until_ready()
        self.headers = {
            "X-CSRFToken": visitor.http.cookies["csrftoken"],
            "Origin": str(visitor.http.base_url).rstrip("/"),
        }

    def read(self, path: str) -> str:
        answer = self.http.get("/api/sandbox/files", params={"path": path})
        return str(answer.raise_for_status().json()["content"])

    def write(self, path: str, text: str) -> None:
        found = self.http.get("/api/sandbox/files", params={"path": path})
        version = found.json()["version"] if found.is_success else None
        sent = {"path": path, "content": text, "version": version}
        self.http.put("/api/sandbox/files", json=sent, headers=self.headers).raise_for_status()

    def make(self, path: str, command: str) -> None:
        """A file of what a command prints."""
        assert self.blaxel.run(self.name, f"{command} > {path}")["exitCode"] == 0

    def delete(self, path: str) -> None:
        self.http.delete(
            "/api/sandbox/files", params={"path": path}, headers=self.headers
        ).raise_for_status()


class Pane:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.bar = page.locator(".editor-file:not([hidden]) .editor-bar")

    def open(self, path: str) -> None:
        self.tell("files:open", {"path": path})
        expect(self.page.locator("[data-editor-path]")).to_have_text(path)

    def tell(self, name: str, detail: object) -> None:
        self.page.evaluate(
            "([name, detail]) => document.body.dispatchEvent(new CustomEvent(name, { detail }))",
            [name, detail],
        )

    @property
    def text(self) -> Locator:
        return self.page.locator(".editor-file:not([hidden]) .editor-surface .cm-content")

    def type(self, words: str) -> None:
        self.text.focus()
        self.page.keyboard.press("Control+Home")
        self.page.keyboard.type(words)

    def save(self) -> None:
        self.page.keyboard.press("Control+s")

    def reads(self, words: str) -> None:
        expect(self.page.locator("[data-editor-state]")).to_have_text(words)

    def says(self, words: str) -> None:
        expect(self.bar).to_contain_text(words)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def until_kept(self, path: str) -> None:
        """Until the draft of a path is in the browser."""
        until(lambda: path in self.page.evaluate("editorParts.drafts.paths()"))


@pytest.fixture
def disk(manta: Manta, visitor: Visitor) -> Disk:
    return Disk(manta, visitor)


@pytest.fixture
def pane(page: Page, visitor: Visitor) -> Iterator[Pane]:
    move_in(page, visitor)
    yield Pane(page)


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


def test_what_is_typed_before_the_colours_come_is_saved(pane: Pane, disk: Disk) -> None:
    disk.write("/blaxel/a.txt", "first\n")
    disk.write("/blaxel/a.py", "first\n")
    pane.open("/blaxel/a.txt")
    expect(pane.text).to_have_text("first")
    colours: list[Route] = []
    pane.page.route("**/vendor/chunks/*", lambda route: colours.append(route), times=1)

    pane.open("/blaxel/a.py")
    pane.type("early ")
    pane.reads("Unsaved")
    until(lambda: pane.page.title() and colours)
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


def test_an_untouched_file_follows_the_disk(pane: Pane, disk: Disk) -> None:
    disk.write("/blaxel/a.txt", "first\n")
    pane.open("/blaxel/a.txt")
    expect(pane.text).to_have_text("first")

    disk.write("/blaxel/a.txt", "second\n")
    pane.tell("files:changed", {"changes": [{"path": "/blaxel/a.txt", "kind": "modified"}]})

    expect(pane.text).to_have_text("second")
    pane.reads("Saved")


def test_a_draft_outlives_a_reload_and_being_offline(
    pane: Pane, disk: Disk, context: BrowserContext
) -> None:
    disk.write("/blaxel/a.txt", "first\n")
    pane.open("/blaxel/a.txt")
    expect(pane.text).to_have_text("first")
    context.set_offline(True)
    pane.type("kept ")
    pane.save()
    pane.reads("Not saved")
    pane.says("cannot be reached")
    pane.until_kept("/blaxel/a.txt")

    context.set_offline(False)
    pane.reads("Saved")
    assert disk.read("/blaxel/a.txt") == "kept first\n"
    pane.type("again ")
    pane.until_kept("/blaxel/a.txt")
    pane.page.reload()

    pane.says("Unsaved changes")
    expect(pane.text).to_have_text("again kept first")
    pane.text.focus()
    pane.save()
    pane.reads("Saved")
    assert disk.read("/blaxel/a.txt") == "again kept first\n"


def test_who_is_signed_out_is_led_to_sign_in_and_back_to_the_draft(pane: Pane, disk: Disk) -> None:
    disk.write("/blaxel/a.txt", "first\n")
    pane.open("/blaxel/a.txt")
    expect(pane.text).to_have_text("first")
    # Only the editor notices: the rest of the page would leave for the sign-in by itself.
    pane.page.evaluate(
        """() => {
          const { fetch } = window;
          window.fetch = (url, options) => fetch(url, { ...options, credentials: "omit" });
        }"""
    )
    pane.type("kept ")
    pane.save()
    pane.says("Not saved: You are signed out.")
    pane.reads("Not saved")
    pane.until_kept("/blaxel/a.txt")

    sign_in = pane.bar.get_by_role("link", name="Sign in")
    expect(sign_in).to_have_attribute("href", "/accounts/login/?next=/workspace/")
    sign_in.click()

    pane.says("Unsaved changes")
    expect(pane.text).to_have_text("kept first")
    pane.press("Save file")
    pane.reads("Saved")
    assert disk.read("/blaxel/a.txt") == "kept first\n"


def test_a_draft_outlives_the_sandboxs_sleep(
    pane: Pane, disk: Disk, manta: Manta, visitor: Visitor
) -> None:
    disk.write("/blaxel/a.txt", "first\n")
    pane.open("/blaxel/a.txt")
    expect(pane.text).to_have_text("first")
    pane.type("kept ")
    pane.until_kept("/blaxel/a.txt")
    pane.page.goto("about:blank")
    until(lambda: manta.blaxel.sleeps(visitor.until_ready()), 60)

    pane.page.goto("/workspace/")

    pane.says("Unsaved changes")
    expect(pane.text).to_have_text("kept first")
    pane.press("Save file")
    pane.reads("Saved")
    assert disk.read("/blaxel/a.txt") == "kept first\n"


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
    assert pane.page.evaluate("editorParts.drafts.paths()") == []
    assert disk.read("/blaxel/a.txt") == "one first\n"


def test_nobody_sees_anothers_draft(pane: Pane, disk: Disk) -> None:
    pane.open(PAGE)
    expect(pane.text).to_contain_text("doctype")
    pane.type("secret ")
    pane.until_kept(PAGE)

    found = pane.page.evaluate(
        """async (path) => {
          document.getElementById("editor").dataset.owner = "another";
          return [await editorParts.drafts.paths(), (await editorParts.drafts.get(path)) ?? null];
        }""",
        PAGE,
    )

    assert found == [[], None]


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
    pane.press("Open anyway, without changing it")
    pane.reads("Read only")
    pane.open("/blaxel/never-was.txt")
    expect(pane.page.get_by_text("no longer there")).to_be_visible()


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


def test_a_moved_file_stays_open(pane: Pane, disk: Disk) -> None:
    disk.write("/blaxel/a.txt", "first\n")
    pane.open("/blaxel/a.txt")
    pane.type("mine ")

    pane.tell("files:moved", {"source": "/blaxel/a.txt", "destination": "/blaxel/b.py"})

    expect(pane.page.get_by_role("tab", name="b.py, not saved")).to_be_visible()
    expect(pane.page.locator("[data-editor-language]")).to_have_text("Python")


def test_ends_of_lines_stay_as_they_are(pane: Pane, disk: Disk) -> None:
    disk.write("/blaxel/a.txt", "one\r\ntwo\r\n")
    pane.open("/blaxel/a.txt")
    expect(pane.text).to_contain_text("one")

    pane.type("x")
    pane.save()
    pane.reads("Saved")

    assert disk.read("/blaxel/a.txt") == "xone\r\ntwo\r\n"


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


def test_saving_by_itself_is_a_setting(pane: Pane, disk: Disk) -> None:
    disk.write("/blaxel/a.txt", "first\n")
    pane.page.get_by_role("button", name="Workspace settings").click()
    pane.page.get_by_label("Save by itself").check()
    pane.page.keyboard.press("Escape")
    pane.open("/blaxel/a.txt")
    expect(pane.text).to_have_text("first")

    pane.type("auto ")

    pane.reads("Saved")
    assert disk.read("/blaxel/a.txt") == "auto first\n"


def test_typing_in_five_megabytes_stays_smooth(pane: Pane, disk: Disk) -> None:
    disk.make("/blaxel/long.js", "yes 'const a = 1; // some words' | head -n 190000")
    pane.open("/blaxel/long.js")
    expect(pane.text).to_contain_text("some words")
    expect(pane.page.locator("[data-editor-language]")).to_contain_text("large file")
    pane.page.evaluate(LONGEST_TASK)

    pane.type("every letter of a sentence")
    pane.until_kept("/blaxel/long.js")

    assert pane.page.evaluate("window.longest") < 200


def test_the_workspace_is_light(page: Page, visitor: Visitor) -> None:
    sizes: list[int] = []
    page.context.on(
        "requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"])
    )
    pane = Pane(move_in(page, visitor).page)
    page.route("**/*.preview.localhost*/**", lambda route: route.abort())

    pane.open(PAGE)
    expect(pane.text).to_contain_text("doctype")
    page.evaluate("import(document.querySelector('[data-bundle]').dataset.bundle)")

    assert 100_000 < sum(sizes) < FIRST_LOAD_KB * 1000
