"""Actions of a person on their sandbox, in a browser, and what they leave."""

import re
import sqlite3
import time
from contextlib import closing

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from sandboxes.data_plane.process_snapshot import OWN_PREFIX
from tests.support.manta_process import Manta, Parts
from tests.support.person import Person, move_in, sign_in_as
from tests.support.visitor import Visitor
from tests.support.waiting import wait_until

COUNTER = "n=0; while :; do n=$((n+1)); echo $n > /blaxel/counter; sleep 0.05; done"
DIRTY = "git init -q '/blaxel/my shop' && touch '/blaxel/my shop/new'"


def runs(manta: Manta | Parts, name: str) -> list[str]:
    """The sandbox's processes, without those by which Manta watches it for an open page."""
    processes = manta.blaxel._get(f"/manta/sandboxes/{name}/process")
    names = [process["name"] for process in processes if process["status"] == "running"]
    return [each for each in names if not each.startswith(OWN_PREFIX)]


def has(manta: Manta | Parts, name: str, path: str) -> bool:
    return bool(manta.blaxel.run(name, f"test -e {path}")["exitCode"] == 0)


def more(person: Person) -> Locator:
    panel = person.panel.locator("#panel-more")
    if panel.get_attribute("open") is None:
        panel.locator("summary").click()
    return panel


@pytest.mark.exhaustive
def test_a_days_work_restarted_extended_reset_and_deleted(
    manta: Manta, page: Page, visitor: Visitor, complaints: list[str]
) -> None:
    name = visitor.until_ready()
    manta.blaxel.run(name, f"touch /blaxel/mine && {DIRTY}")
    manta.blaxel.run(name, COUNTER, name="counter", waitForCompletion=False)
    person = move_in(page, visitor)
    expect(person.preview.get_by_role("heading", level=1)).to_be_visible()
    person.play.click()

    more(person).get_by_role("button", name="Restart").click()
    wait_until(lambda: runs(manta, name) == ["starter"], 30)
    expect(person.panel).not_to_contain_text("Restarting")
    # The disclosure and the focus have outlived the panel's changes.
    expect(page.locator("#panel-more")).to_have_attribute("open", "")
    expect(page.locator("#panel-restart")).to_be_focused()
    assert has(manta, name, "/blaxel/mine")

    more(person).get_by_role("link", name="Reset…").click()
    lost = page.locator("#unsaved")
    expect(lost).to_contain_text("/blaxel/my shop")
    expect(lost).to_contain_text("1 uncommitted file")
    page.get_by_label("to confirm").fill("another-name")
    page.get_by_role("button", name="Reset the sandbox").click()
    expect(page.get_by_text("This is not the name of this sandbox.")).to_be_visible()
    page.get_by_label("to confirm").fill(name)
    page.get_by_role("button", name="Reset the sandbox").click()
    expect(page).to_have_url(re.compile("/workspace/$"))
    wait_until(lambda: visitor.sandbox()["status"] in ("active", "standby"), 60)
    person.reads("A")
    expect(person.preview.get_by_role("heading", level=1)).to_be_visible()
    assert not has(manta, name, "/blaxel/mine")
    assert has(manta, name, "/blaxel/app/README.md")

    more(person).get_by_role("link", name="Delete…").click()
    page.get_by_label("to confirm").fill(name)
    page.get_by_role("button", name="Delete the sandbox").click()
    person.reads("No sandbox")
    assert name not in manta.blaxel.names()
    person.panel.get_by_role("button", name="Initialize").click()
    expect(person.preview.get_by_role("heading", level=1)).to_be_visible()
    # The wrong name was answered with 422, and leaving a page breaks off what it asks for.
    assert [said for said in complaints if "422" not in said and "htmx:" not in said] == []


def test_extend_moves_the_date_at_the_provider_too(
    manta: Manta, page: Page, visitor: Visitor
) -> None:
    name = visitor.until_ready()
    # As if it had been used a day ago, and had two days to live since then.
    with closing(sqlite3.connect(manta.state_dir / "manta.sqlite3", timeout=20)) as db, db:
        db.execute(
            "UPDATE sandboxes_sandbox SET ttl = ?, used_at = datetime('now', '-24 hours')"
            " WHERE name = ?",
            (48 * 3600 * 10**6, name),
        )
    # Not the workspace: its preview would be a use, which moves the date, too.
    sign_in_as(page, visitor)
    page.goto("/account/")
    person = Person(page, visitor.email)
    person.play.click()
    expect(person.panel.locator("#time-expires")).to_contain_text(re.compile("in 2[34] hours"))

    person.panel.get_by_role("button", name="Keep until").click()

    expect(person.panel.locator("#time-expires")).to_contain_text(
        re.compile("in 47 hours|in 2 days")
    )
    expect(person.panel.get_by_role("button", name="Keep until")).to_have_count(0)
    assert manta.blaxel._get(f"/v0/sandboxes/{name}")["expiresIn"] > 47 * 3600


@pytest.mark.exhaustive
def test_without_javascript(browser: Browser, manta: Manta, visitor: Visitor) -> None:
    name = visitor.until_ready()
    manta.blaxel.run(name, f"touch /blaxel/mine && {DIRTY}")
    context = browser.new_context(base_url=manta.url, java_script_enabled=False)
    page = context.new_page()
    person = Person(page, visitor.email)
    person.sign_in()

    person.play.click()
    page.locator("#panel-more summary").click()
    page.get_by_role("button", name="Restart").click()
    expect(page.get_by_role("heading", name="Get started")).to_be_visible()
    wait_until(lambda: runs(manta, name) == ["starter"], 30)

    page.goto("/sandbox/reset/")
    page.get_by_role("button", name="Check git repositories").click()
    expect(page.locator("#unsaved")).to_contain_text("1 uncommitted file")
    page.get_by_label("to confirm").fill(name)
    page.get_by_role("button", name="Reset the sandbox").click()
    expect(page).to_have_url(re.compile("/workspace/$"))
    wait_until(lambda: visitor.sandbox()["status"] in ("active", "standby"), 60)
    assert not has(manta, name, "/blaxel/mine")

    page.goto("/sandbox/delete/")
    page.get_by_label("to confirm").fill(name)
    page.get_by_role("button", name="Delete the sandbox").click()
    wait_until(lambda: visitor.sandbox() is None, 30)
    context.close()


@pytest.mark.exhaustive
def test_what_was_asked_for_is_done_after_the_worker_was_killed(parts: Parts) -> None:
    with Visitor(parts.url) as visitor:
        visitor.sign_up()
        name = visitor.until_ready()
        parts.blaxel.run(name, "touch /blaxel/mine")
        made = visitor.http.get("/api/sandbox").json()["sandbox"]["createdAt"]

        confirmed = {"confirm": name}
        token = {"X-CSRFToken": visitor.http.cookies["csrftoken"], "Referer": parts.url}
        parts.kill("worker")
        answer = visitor.http.post("/api/sandbox/reset", json=confirmed, headers=token)
        assert answer.status_code == 202
        parts.mend()
        time.sleep(0.3)  # anywhere in the middle
        parts.kill("worker")
        parts.mend()

        wait_until(lambda: visitor.sandbox()["status"] in ("active", "standby"), 90)
        assert visitor.http.get("/api/sandbox").json()["sandbox"]["createdAt"] >= made
        assert not has(parts, name, "/blaxel/mine")


@pytest.mark.exhaustive
def test_a_restart_is_done_after_local_blaxel_was_killed(parts: Parts) -> None:
    with Visitor(parts.url) as visitor:
        visitor.sign_up()
        name = visitor.until_ready()
        parts.blaxel.run(name, "touch /blaxel/mine")
        parts.blaxel.run(name, COUNTER, name="counter", waitForCompletion=False)

        token = {"X-CSRFToken": visitor.http.cookies["csrftoken"], "Referer": parts.url}
        answer = visitor.http.post("/api/sandbox/restart", headers=token)
        assert answer.status_code == 202
        parts.kill("local_blaxel")
        parts.mend()

        wait_until(lambda: not visitor.http.get("/api/sandbox").json()["sandbox"]["restarting"], 90)
        wait_until(lambda: runs(parts, name) == ["starter"], 30)
        assert has(parts, name, "/blaxel/mine")
