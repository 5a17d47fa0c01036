"""What a person can have before them in the workspace, at any width, while the sandbox is awake."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.support.page_states import Still
from tests.support.person import move_in

Scene = Callable[[Page], None]
INDEX = "/blaxel/app/public/index.html"


def open_with_panel(page: Page, still: Still, state: str) -> None:
    """Open the workspace and the panel, and the preview where there is one."""
    still.show(state)
    person = move_in(page, still.visitor)
    person.play.click()
    expect(person.panel).to_be_visible()


def enter(page: Page, still: Still) -> None:
    still.show("active")
    move_in(page, still.visitor)
    expect(page.locator("html[data-inside=open]")).to_be_attached()


def show_pane(page: Page, name: str) -> None:
    """As a link in another pane would; a phone's switcher has no counterpart on a desk."""
    tell(page, "pane:show", {"pane": name})


def tell(page: Page, name: str, detail: object) -> None:
    page.evaluate(
        "([name, detail]) => document.body.dispatchEvent(new CustomEvent(name, { detail }))",
        [name, detail],
    )


def see_terminal(page: Page) -> None:
    expect(page.locator("#pane-terminal [data-terminal=words]")).to_have_text("Connected")


def see_preview(page: Page) -> None:
    served = page.frame_locator("iframe[name=preview]")
    expect(served.get_by_role("heading", level=1)).to_be_visible()


def write(page: Page, path: str, text: str) -> None:
    """A file, as somebody else changes it."""
    origin = re.match(r"\w+://[^/]+", page.url)
    page.request.put(
        f"/api/sandbox/files/content?path={path}&overwrite=true",
        headers={"Origin": origin[0] if origin else ""},
        data=text,
    )


def files(page: Page) -> None:
    """The tree of files."""
    show_pane(page, "files")
    page.get_by_role("treeitem", name="public", exact=True).click()
    expect(page.get_by_role("treeitem", name="index.html")).to_be_visible()


def files_menu(page: Page) -> None:
    """What can be done with a folder."""
    files(page)
    page.get_by_role("treeitem", name="public", exact=True).press("Enter")
    page.get_by_role("button", name="More about the selected file").click()
    expect(page.get_by_role("menu", name="Actions")).to_be_visible()


def files_rename(page: Page) -> None:
    """Rename it."""
    files_menu(page)
    page.get_by_role("menuitem", name="Rename").click()
    expect(page.locator("#files-dialog")).to_be_visible()


def files_delete(page: Page) -> None:
    """Asked before a file is deleted for good."""
    files(page)
    page.get_by_role("treeitem", name="serve.mjs").press("Shift+Delete")
    expect(page.locator("#files-confirm")).to_be_visible()


def files_undo(page: Page) -> None:
    """A file is deleted, and can be had back."""
    show_pane(page, "files")
    expect(page.get_by_role("treeitem", name="serve.mjs")).to_be_visible()
    page.get_by_role("button", name="New file", exact=True).click()
    page.locator("#files-dialog input").fill("passing.txt")
    page.locator("#files-dialog input").press("Enter")
    expect(page.locator("[data-editor-path]")).to_have_text(re.compile("passing.txt$"))
    show_pane(page, "files")
    page.get_by_role("treeitem", name="passing.txt").press("Delete")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()


def files_found(page: Page) -> None:
    """A text, found in every file that has it."""
    show_pane(page, "files")
    page.get_by_label("Search in").select_option("contents")
    page.get_by_label("Search files").fill("<title>")
    expect(page.get_by_role("button", name=re.compile(r"index\.html:\d+"))).to_be_visible()


def open_file(page: Page, path: str, words: str) -> None:
    tell(page, "files:open", {"path": path})
    text = page.locator(".editor-file:not([hidden]) .cm-content")
    expect(text).to_contain_text(words)
    expect(text).to_be_focused()


def editor(page: Page) -> None:
    """A file in the editor, above the terminal, beside the page that it is."""
    open_file(page, INDEX, "doctype")
    # Colours come from above, a few lines at a time.
    late = page.locator("#pane-editor .cm-line").filter(has_text="<h2>").first
    expect(late.locator("span").first).to_be_visible()


def editor_menu(page: Page) -> None:
    """What can be done with an open file."""
    editor(page)
    page.get_by_role("button", name="Editor menu").click()
    expect(page.locator("#editor-menu")).to_be_visible()


def editor_find(page: Page) -> None:
    """Find and replace."""
    editor(page)
    page.keyboard.press("Control+f")
    page.keyboard.type("div")
    expect(page.locator(".cm-search")).to_be_visible()


def editor_line(page: Page) -> None:
    """Go to a line."""
    editor_menu(page)
    page.get_by_role("button", name="Go to line").click()
    expect(page.locator(".cm-panel")).to_be_visible()


def editor_conflict(page: Page) -> None:
    """Somebody else has changed the file: both, side by side, and what to do."""
    path = "/blaxel/app/conflict.txt"
    write(page, path, "first\n")
    open_file(page, path, "first")
    page.keyboard.type("mine ")
    write(page, path, "theirs\n")
    page.keyboard.press("Control+s")
    expect(page.get_by_text("Left: on disk")).to_be_visible()


def editor_closing(page: Page) -> None:
    """Asked before unsaved changes are closed."""
    editor(page)
    page.keyboard.type("mine ")
    page.keyboard.press("Alt+w")
    expect(page.locator("#editor-closing")).to_be_visible()


def terminal(page: Page) -> None:
    """A terminal."""
    show_pane(page, "terminal")
    see_terminal(page)


def terminal_search(page: Page) -> None:
    """Find in the terminal."""
    terminal(page)
    page.get_by_role("button", name="Find in the terminal").click()
    expect(page.get_by_role("textbox", name="Find in the terminal")).to_be_focused()


def terminal_read_aloud(page: Page) -> None:
    """A terminal as a screen reader is given it."""
    terminal(page)
    page.get_by_role("button", name="Screen reader mode").click()
    expect(page.locator(".xterm-accessibility")).to_be_attached()


def terminal_closing(page: Page) -> None:
    """Asked before a terminal is closed in which something runs."""
    terminal(page)
    page.locator(".terminal-panel:visible textarea").focus()
    page.keyboard.type("echo on'ce'; sleep 1000\n")
    expect(page.locator("#pane-terminal .xterm-rows")).to_contain_text("once")
    page.get_by_role("button", name="Close Terminal 1").click()
    expect(page.get_by_role("dialog", name="Close the terminal?")).to_be_visible()


def processes(page: Page) -> None:
    """What runs in the sandbox."""
    show_pane(page, "processes")
    expect(page.locator("[data-process=starter]")).to_be_visible()


def process_form(page: Page) -> None:
    """Start a process; a name that isn't one is refused."""
    show_pane(page, "processes")
    page.get_by_role("button", name="Start a process").click()
    page.get_by_label("Command", exact=True).fill("true")
    page.get_by_label("Name", exact=True).fill("1234")
    page.keyboard.press("Enter")
    expect(page.locator(".process-start .errorlist")).to_be_visible()


def process_log(page: Page) -> None:
    """What a process has written."""
    processes(page)
    page.locator("[data-shows-log=starter]").click()
    expect(page.get_by_role("log")).to_contain_text("3000")


def ports(page: Page) -> None:
    """The ports that something listens at."""
    show_pane(page, "ports")
    expect(page.locator("#ports-list [data-port='3000']")).to_be_visible()


def publish(page: Page) -> None:
    """Asked before everybody can see a port."""
    ports(page)
    page.locator("#port-publish-3000").click()
    expect(page.locator("#publish-dialog")).to_be_visible()


def preview(page: Page) -> None:
    """The page that the sandbox serves."""
    show_pane(page, "preview")
    see_preview(page)


def palette(page: Page) -> None:
    """Files and commands, by a few letters."""
    page.keyboard.press("Control+k")
    page.keyboard.type("t")
    expect(page.locator("#palette-list").get_by_role("option").nth(3)).to_be_visible()


def shortcuts(page: Page) -> None:
    """The keyboard shortcuts."""
    page.keyboard.press("Control+k")
    page.keyboard.type("keyboard shortcuts\n")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def settings(page: Page) -> None:
    """How the workspace looks and behaves."""
    page.get_by_role("button", name="Workspace settings").click()
    expect(page.get_by_role("dialog", name="Workspace settings")).to_be_visible()


def account_menu(page: Page) -> None:
    """The account's menu."""
    page.get_by_role("button", name="Account menu").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def panel(page: Page) -> None:
    """The panel with what is needed seldom."""
    page.locator("#play").click()
    page.locator("#panel-more summary").click()
    expect(page.locator("#panel-delete")).to_be_visible()


def offline(page: Page) -> None:
    """Manta cannot be reached."""
    page.context.set_offline(True)
    expect(page.locator("#offline")).to_be_visible()


SCENES: list[Scene] = [
    *(files, files_menu, files_rename, files_delete, files_undo, files_found),
    *(editor, editor_menu, editor_find, editor_line, editor_conflict, editor_closing),
    *(terminal, terminal_search, terminal_read_aloud),
    *(processes, process_form, process_log, ports, publish, preview),
    *(palette, shortcuts, settings, account_menu, panel, offline),
    # Something runs from here on.
    terminal_closing,
]
