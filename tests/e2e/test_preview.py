"""Ports and previews as a person uses them, with a development server of their own."""

import json
import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support import dev_server
from tests.support.manta_process import Manta
from tests.support.person import Person, move_in
from tests.support.visitor import Visitor
from tests.support.waiting import wait_until

SERVER = Path(dev_server.__file__)
CLEAN = re.compile(r"http://[a-z0-9-]+\.localhost:\d+/")
LARGE = 20 * 1024 * 1024
UPLOAD = f"fetch('/', {{method: 'POST', body: new Uint8Array({LARGE})}}).then(a => a.text())"


def start(manta: Manta, visitor: Visitor, host: str, port: int) -> None:
    name = visitor.until_ready()
    manta.blaxel.write(name, "/blaxel/dev_server.py", SERVER.read_text())
    command = f"python3 /blaxel/dev_server.py {host} {port}"
    manta.blaxel.run(name, command, waitForCompletion=False)


def show_ports(page: Page, port: int) -> None:
    page.locator("#tab-ports").click()
    row = page.locator(f"#ports-list [data-port='{port}']")
    expect(page.locator("#ports-list .port").first).to_be_visible()
    wait_until(lambda: look_again(page) and row.count())


def look_again(page: Page) -> bool:
    with page.expect_response(re.compile(r"/ports/\?look")):
        page.locator("#ports-look").click()
    return True


def values(context: BrowserContext, url: str) -> dict[str | None, str | None]:
    return {cookie.get("name"): cookie.get("value") for cookie in context.cookies(url)}


def preview(page: Page, port: int) -> Person:
    page.locator(f"#port-show-{port}").click()
    return Person(page)


@pytest.mark.exhaustive
def test_a_dev_server_is_previewed_with_hot_reload(
    manta: Manta, page: Page, visitor: Visitor, complaints: list[str]
) -> None:
    start(manta, visitor, "0.0.0.0", 5173)
    move_in(page, visitor)
    show_ports(page, 5173)
    person = preview(page, 5173)
    expect(person.preview.get_by_role("heading", name="Version 1")).to_be_visible()
    expect(person.preview.locator("body[data-hot]")).to_be_visible()
    expect(person.preview.locator("#events")).to_have_text("An event")
    (frame,) = [frame for frame in page.frames if frame.name == "preview"]

    frame.evaluate("fetch('/change')")

    expect(person.preview.get_by_role("heading", name="Version 2")).to_be_visible()
    assert frame.evaluate(UPLOAD) == str(LARGE)
    assert re.fullmatch(CLEAN, frame.url)

    seen = frame.evaluate("fetch('/seen').then(a => a.json())")
    told = json.dumps(seen)
    session = page.context.cookies(manta.url)
    assert len(seen) > 3
    assert not [cookie["value"] for cookie in session if cookie["value"] in told]
    assert "bl_preview" not in told
    assert complaints == []


def test_a_port_appears_and_goes_by_itself(manta: Manta, page: Page, visitor: Visitor) -> None:
    name = visitor.until_ready()
    person = move_in(page, visitor)
    page.locator("#tab-ports").click()
    expect(person.preview.get_by_role("heading", level=1)).to_be_visible()
    offered = page.locator("#preview-port option")
    row = page.locator("#ports-list [data-port='5176']")

    start(manta, visitor, "0.0.0.0", 5176)

    expect(row).to_contain_text("Listens on 0.0.0.0")
    expect(offered).to_have_text(["3000", "5176"])
    person = preview(page, 5176)
    expect(person.preview.get_by_role("heading", name="Version 1")).to_be_visible()
    page.locator("#preview-port").select_option("3000")
    expect(person.preview.get_by_role("heading", name="running")).to_be_visible()

    manta.blaxel.run(name, "pkill -f dev_server.py", waitForCompletion=True)

    expect(row).to_have_count(0)
    expect(offered).to_have_text(["3000"])


@pytest.mark.exhaustive
def test_the_address_bar_opens_a_page_and_the_frame_survives_the_panes(
    manta: Manta, page: Page, visitor: Visitor
) -> None:
    start(manta, visitor, "0.0.0.0", 5174)
    move_in(page, visitor)
    show_ports(page, 5174)
    person = preview(page, 5174)
    expect(person.preview.get_by_role("heading", name="Version 1")).to_be_visible()

    page.locator("#preview-path").fill("//evil.example/deep?link=1#here")
    page.locator("#preview-path").press("Enter")

    expect(person.preview.locator("body[data-hot]")).to_be_visible()
    (frame,) = [frame for frame in page.frames if frame.name == "preview"]
    page.wait_for_function(
        "() => document.querySelector('[data-preview]').dataset.preview === 'shown'"
    )
    assert re.fullmatch(CLEAN.pattern + r"evil\.example/deep\?link=1#here", frame.url)

    page.locator("#preview-home").click()
    expect(person.preview.get_by_role("heading", name="Version 1")).to_be_visible()
    expect(page.locator("#preview-path")).to_have_value("/")
    page.wait_for_function(
        "() => document.querySelector('[data-preview]').dataset.preview === 'shown'"
    )
    (frame,) = [frame for frame in page.frames if frame.name == "preview"]
    assert re.fullmatch(CLEAN, frame.url)

    frame.evaluate("window.kept = true")
    page.locator("#preview-width").select_option("phone")
    look_again(page)
    with page.expect_response(re.compile("/sandbox/stage/")):
        page.evaluate("htmx.trigger(document.body, 'sandbox:changed')")
    page.wait_for_function("() => !document.querySelector('.htmx-request, .htmx-settling')")
    assert frame.evaluate("window.kept && innerWidth") == 390


@pytest.mark.exhaustive
def test_a_port_is_public_for_a_while_and_private_again(
    manta: Manta, page: Page, visitor: Visitor, browser: Browser, complaints: list[str]
) -> None:
    person = move_in(page, visitor)
    show_ports(page, 3000)
    page.locator("#port-publish-3000").click()
    expect(page.get_by_role("dialog")).to_contain_text("Anyone with the address")
    page.get_by_label("1 hour").check()
    page.get_by_role("button", name="Make public", exact=True).click()

    expect(page.locator("#ports-list .badge-warn")).to_contain_text("Public until")
    expect(page.locator("#preview-visibility")).to_contain_text("Public")
    person.play.click()
    expect(person.panel).to_contain_text("3000 public until")
    # With everything in the bar and little room for it, a path can still be typed.
    assert (page.locator("#preview-path").bounding_box() or {})["width"] > 100
    badges = page.locator(".public-badge:visible")
    lines = badges.evaluate_all("(all) => all.map((each) => each.clientHeight < 24)")
    assert lines == [True, True, True]
    assert "until" in (badges.first.get_attribute("title") or "")
    address = page.locator("#port-copy-3000").get_attribute("data-copy") or ""
    stranger: BrowserContext = browser.new_context()
    visit = stranger.new_page()
    visit.goto(address)
    expect(visit.get_by_role("heading", level=1)).to_contain_text("running")
    assert httpx.get(address).status_code == 200

    person.panel.get_by_role("button", name="Make private").click()

    expect(page.locator("#ports-list .badge-warn")).to_have_count(0)
    expect(person.panel).to_contain_text("Private to you")
    assert httpx.get(address).status_code == 401
    visit.reload()
    expect(visit.get_by_role("heading", level=1)).to_have_text("Preview not open to you")
    stranger.close()
    record = visitor.http.get("/sandbox/activity/").text
    assert "made public port" in record
    assert "made private port" in record
    assert complaints == []


@pytest.mark.exhaustive
def test_why_a_port_does_not_answer_is_said_where_the_page_would_be(
    manta: Manta, page: Page, visitor: Visitor
) -> None:
    start(manta, visitor, "127.0.0.1", 5175)
    person = move_in(page, visitor)
    show_ports(page, 5175)
    row = page.locator("#ports-list [data-port='5175']")
    expect(row).to_contain_text("listens on 127.0.0.1, inside the sandbox only")

    preview(page, 5175)
    expect(person.preview.get_by_text("inside the sandbox only")).to_be_visible()

    page.evaluate(
        "document.body.dispatchEvent(new CustomEvent('preview:open', {detail: {port: 5999}}))"
    )
    expect(person.preview.get_by_text("Nothing is listening on port 5999")).to_be_visible()
    start(manta, visitor, "0.0.0.0", 5999)
    expect(page.locator("#ports-list [data-port='5999']")).to_be_visible()
    person.preview.get_by_role("button", name="Try again").click()
    expect(person.preview.get_by_role("heading", name="Version 1")).to_be_visible()

    page.evaluate(
        "document.body.dispatchEvent(new CustomEvent('preview:open', {detail: {port: 8080}}))"
    )
    expect(person.preview.get_by_text("Port 8080 is reserved")).to_be_visible()
    expect(person.preview.get_by_role("button", name="Try again")).to_have_count(0)


@pytest.mark.exhaustive
def test_the_link_of_open_is_in_no_history(
    manta: Manta, page: Page, context: BrowserContext, visitor: Visitor
) -> None:
    move_in(page, visitor)
    show_ports(page, 3000)
    with context.expect_page() as opening:
        page.locator("#port-open-3000").click()
    tab = opening.value
    expect(tab.get_by_role("heading", level=1)).to_be_visible()

    assert re.fullmatch(CLEAN, tab.url)
    assert tab.evaluate("document.referrer") == ""
    assert tab.evaluate("opener") is None
    entries = context.new_cdp_session(tab).send("Page.getNavigationHistory")["entries"]
    assert not [entry["url"] for entry in entries if "token" in entry["url"]]
    tab.reload()
    expect(tab.get_by_role("heading", level=1)).to_be_visible()


@pytest.mark.exhaustive
def test_a_missing_script_is_missing_and_no_page(manta: Manta, visitor: Visitor) -> None:
    name = visitor.until_ready()
    preview = manta.blaxel.http.get(f"/v0/sandboxes/{name}/previews").json()[0]
    script = {"Sec-Fetch-Dest": "script", "Sec-Fetch-Mode": "no-cors", "Accept": "*/*"}

    sent = httpx.get(preview["spec"]["url"] + "/app.js", headers=script)
    address = httpx.URL(sent.headers["Location"])
    host = {"Host": address.netloc.decode()}
    refused = httpx.get(address.copy_with(host="127.0.0.1"), headers=script | host)

    assert sent.status_code == 307
    assert refused.status_code == 401
    assert "javascript" not in refused.headers["Content-Type"]


@pytest.mark.exhaustive
def test_a_cookie_of_one_preview_opens_no_other_and_leaves_the_session(
    manta: Manta, page: Page, context: BrowserContext, visitor: Visitor
) -> None:
    start(manta, visitor, "0.0.0.0", 5177)
    move_in(page, visitor)
    page.locator("#tab-ports").click()
    session = values(context, manta.url)
    with context.expect_page() as opening:
        page.locator("#port-open-3000").click()
    expect(opening.value.get_by_role("heading", level=1)).to_be_visible()

    opening.value.evaluate(
        "for (const name of ['sessionid', 'csrftoken', 'bl_preview_token', '__Host-bl_preview_x'])"
        " document.cookie = `${name}=planted; domain=localhost; path=/`"
    )

    # No two previews have a domain in common.
    assert [each for each in context.cookies() if each.get("value") == "planted"] == []
    with context.expect_page() as opening:
        page.locator("#port-open-5177").click()
    other = opening.value
    expect(other.get_by_role("heading", name="Version 1")).to_be_visible()
    address = httpx.URL(other.url)
    cookies = "sessionid=planted; csrftoken=planted; bl_preview_token=planted"
    headers = {"Host": address.netloc.decode(), "Cookie": cookies}
    assert httpx.get(address.copy_with(host="127.0.0.1"), headers=headers).status_code == 401
    other.reload()
    expect(other.get_by_role("heading", name="Version 1")).to_be_visible()
    assert values(context, manta.url) == session
    page.reload()
    expect(page.locator("#play")).to_contain_text("Active")
