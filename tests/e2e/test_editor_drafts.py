"""Drafts in the editor: nothing that is typed is lost, and nobody else sees it."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.support.editor_page import PAGE, Disk, Pane
from tests.support.manta_process import Manta
from tests.support.person import move_in
from tests.support.visitor import Visitor
from tests.support.waiting import wait_until


@pytest.mark.exhaustive
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


@pytest.mark.exhaustive
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


@pytest.mark.exhaustive
def test_a_draft_outlives_the_sandboxs_sleep(
    pane: Pane, disk: Disk, manta: Manta, visitor: Visitor
) -> None:
    disk.write("/blaxel/a.txt", "first\n")
    pane.open("/blaxel/a.txt")
    expect(pane.text).to_have_text("first")
    pane.type("kept ")
    pane.until_kept("/blaxel/a.txt")
    pane.page.goto("about:blank")
    wait_until(lambda: manta.blaxel.sleeps(visitor.until_ready()), 60)

    pane.page.goto("/workspace/")

    pane.says("Unsaved changes")
    expect(pane.text).to_have_text("kept first")
    pane.press("Save file")
    pane.reads("Saved")
    assert disk.read("/blaxel/a.txt") == "kept first\n"


@pytest.mark.exhaustive
def test_somebody_else_in_the_same_browser_sees_neither_draft_nor_tab(
    pane: Pane, visitor: Visitor, manta: Manta
) -> None:
    pane.open(PAGE)
    expect(pane.text).to_contain_text("doctype")
    pane.type("secret ")
    pane.until_kept(PAGE)

    with Visitor(manta.url) as other:
        other.sign_up()
        other.until_ready()
        pane.page.context.clear_cookies()
        move_in(pane.page, other)
        expect(pane.page.locator(".editor-empty")).to_be_visible()
        assert pane.kept() == []
        assert pane.page.get_by_role("tab", name="index.html").count() == 0

    move_in(pane.page, visitor)
    pane.says("Unsaved changes")
    expect(pane.text).to_contain_text("secret ")


@pytest.mark.exhaustive
def test_a_draft_that_nobody_came_back_for_goes_after_30_days(pane: Pane) -> None:
    pane.open(PAGE)
    expect(pane.text).to_contain_text("doctype")
    pane.type("old ")
    pane.until_kept(PAGE)
    kept = datetime.now(UTC)

    pane.page.clock.set_fixed_time(kept + timedelta(days=29))
    pane.page.reload()
    pane.says("Unsaved changes")
    pane.page.clock.set_fixed_time(kept + timedelta(days=31))
    pane.page.reload()

    expect(pane.text).to_contain_text("doctype")
    expect(pane.text).not_to_contain_text("old ")
    assert pane.kept() == []


FULL = "IDBObjectStore.prototype.put = function () { this.transaction.abort(); };"
PRIVATE = "IDBFactory.prototype.open = () => { throw new DOMException('No.', 'SecurityError'); };"


@pytest.mark.exhaustive
@pytest.mark.parametrize("broken", [FULL, PRIVATE], ids=["full", "private"])
def test_who_has_no_room_for_drafts_is_told_and_asked_before_leaving(
    pane: Pane, disk: Disk, broken: str
) -> None:
    disk.write("/blaxel/a.txt", "first\n")
    pane.page.add_init_script(broken)
    pane.page.reload()
    pane.open("/blaxel/a.txt")
    expect(pane.text).to_have_text("first")

    pane.type("at risk ")
    pane.says("keep unsaved changes: it is in private mode, or its storage is full")
    with pane.page.expect_event("dialog") as asked:
        pane.page.evaluate("setTimeout(() => location.reload())")
    asked.value.dismiss()
    assert asked.value.type == "beforeunload"
    pane.press("Save now")

    pane.reads("Saved")
    expect(pane.bar).to_be_hidden()
    assert disk.read("/blaxel/a.txt") == "at risk first\n"


@pytest.mark.exhaustive
def test_a_draft_goes_along_with_a_file_that_was_not_shown_yet(pane: Pane, disk: Disk) -> None:
    disk.write("/blaxel/a.txt", "first\n")
    pane.open("/blaxel/a.txt")
    expect(pane.text).to_have_text("first")
    pane.type("kept ")
    pane.until_kept("/blaxel/a.txt")
    pane.open(PAGE)
    pane.page.reload()
    expect(pane.text).to_contain_text("doctype")

    disk.write("/blaxel/b.txt", "first\n")
    pane.tell("files:moved", {"source": "/blaxel/a.txt", "destination": "/blaxel/b.txt"})
    pane.until_kept("/blaxel/b.txt")
    pane.page.get_by_role("tab", name="b.txt").click()

    pane.says("Unsaved changes")
    expect(pane.text).to_have_text("kept first")
