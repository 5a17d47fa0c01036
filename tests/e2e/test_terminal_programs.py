"""Programs in the terminal pane: what they are pasted, what they copy, screens of their own."""

import hashlib

import pytest
from playwright.sync_api import Page, expect

from tests.support.terminal_pane import Terminals
from tests.support.waiting import wait_until


@pytest.mark.exhaustive
def test_a_paste_that_no_program_reads_yet_arrives_whole(terminals: Terminals, page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    terminals.add()
    terminals.types("echo star''ted; sleep 8; cat > pasted; md5sum pasted")
    terminals.shows("started")
    text = "".join(f"line {number:04} of what was pasted\n" for number in range(20_000))
    page.evaluate("(text) => navigator.clipboard.writeText(text)", text)

    page.keyboard.press("Control+Shift+V")
    page.keyboard.press("Control+D")

    digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    expect(terminals.line(f"{digest}  pasted")).to_be_visible(timeout=60_000)


@pytest.mark.exhaustive
def test_a_program_copies_once_the_person_has_allowed_it(
    terminals: Terminals, page: Page, complaints: list[str]
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("navigator.clipboard.writeText('before')")
    terminals.add()
    copies = "printf '\\033]52;c;%s\\007' $(printf %s '{}' | base64 -w 0); echo do''ne"
    asks = page.get_by_role("group", name="Copying from the terminal")

    terminals.types(copies.format("first grüße"))
    expect(asks).to_contain_text("first grüße")
    assert page.evaluate("navigator.clipboard.readText()") == "before"
    asks.get_by_role("button", name="Allow", exact=True).click()
    expect(asks).to_be_hidden()
    wait_until(lambda: page.evaluate("navigator.clipboard.readText()") == "first grüße")

    page.reload()
    terminals.connected()
    terminals.pane.locator(".xterm-helper-textarea").focus()
    assert page.evaluate("navigator.clipboard.readText()") == "first grüße"
    terminals.types(copies.format("second"))
    wait_until(lambda: page.evaluate("navigator.clipboard.readText()") == "second")
    expect(asks).to_be_hidden()
    page.get_by_role("button", name="Workspace settings").click()
    expect(page.get_by_label("Let programs copy")).to_be_checked()
    assert complaints == []


@pytest.mark.exhaustive
def test_a_program_is_not_told_the_clipboard_and_a_refusal_lasts(
    terminals: Terminals, page: Page
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("navigator.clipboard.writeText('secret')")
    terminals.add()
    asks = page.get_by_role("group", name="Copying from the terminal")
    terminals.types("printf '\\033]52;c;?\\007'; read -t 2 answer; echo \"answer=[$answer]\"")
    terminals.shows("answer=[]")
    expect(asks).to_be_hidden()

    copies = "printf '\\033]52;c;bW9yZQ==\\007'; echo {}"
    terminals.types(copies.format("on''ce"))
    asks.get_by_role("button").last.click()
    terminals.pane.locator(".xterm-helper-textarea").focus()
    terminals.types(copies.format("ag''ain"))

    terminals.shows("again")
    expect(asks).to_be_hidden()
    assert page.evaluate("navigator.clipboard.readText()") == "secret"


@pytest.mark.exhaustive
def test_a_reload_leaves_nothing_of_a_program_that_fills_the_screen(
    terminals: Terminals, page: Page
) -> None:
    terminals.add()
    terminals.types("printf '\\033[?1049h'; seq 30000; read x; printf '\\033[?1049l'; echo le''ft")
    expect(terminals.line("30000")).to_be_visible()

    page.reload()
    terminals.connected()
    expect(terminals.line("30000")).to_be_visible()
    terminals.pane.locator(".xterm-helper-textarea").focus()
    page.keyboard.press("Enter")

    terminals.shows("left")
    assert "30000" not in terminals.screen.inner_text()
