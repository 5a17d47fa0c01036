"""Processes and their logs, as a person uses them."""

from playwright.sync_api import Page, expect

from tests.e2e.person import move_in
from tests.e2e.visitor import Visitor

SAYS = "printf '\\033[31mred\\033[0m <b id=evil>x</b>\\n'; sleep 1000"


def open_pane(page: Page, visitor: Visitor) -> None:
    move_in(page, visitor)
    page.locator("html[data-inside=open], html[data-inside=asleep]").wait_for()
    if page.locator("html[data-inside=asleep]").count():
        page.locator("[data-wake]:visible").first.click()
    page.get_by_role("tab", name="Processes").click()
    expect(page.locator("html[data-inside=open]")).to_be_attached()


def start(page: Page, name: str, command: str) -> None:
    page.get_by_role("button", name="Start a process").click()
    page.locator("#process-form [name=command]").fill(command)
    page.locator("#process-form [name=name]").fill(name)
    page.locator("#process-form [type=submit]").click()


def test_a_process_is_started_read_restarted_and_stopped(
    page: Page, visitor: Visitor, complaints: list[str]
) -> None:
    open_pane(page, visitor)

    start(page, "job", SAYS)
    row = page.locator("[data-process=job]")
    expect(row).to_contain_text("running")
    expect(row).to_contain_text("MB")
    row.locator(".process-main").click()
    lines = page.get_by_role("log")
    expect(lines.locator(".ansi-1")).to_have_text("red")
    expect(lines).to_contain_text("<b id=evil>x</b>")
    expect(page.locator("#evil")).to_have_count(0)

    page.get_by_role("button", name="Restart job").click()
    expect(row).to_contain_text("running")
    page.get_by_role("button", name="Stop job").click()
    expect(row).to_contain_text("stopped")

    start(page, "crash", "exit 3")
    expect(page.locator("[data-process=crash]")).to_contain_text("failed (3)")
    assert complaints == []


def test_what_was_typed_wrongly_is_named(page: Page, visitor: Visitor) -> None:
    open_pane(page, visitor)

    start(page, "1234", "true")

    expect(page.locator(".process-start .errorlist")).to_contain_text("letters")


def test_a_hundred_thousand_lines_hold_nothing_up(page: Page, visitor: Visitor) -> None:
    open_pane(page, visitor)
    start(page, "flood", "seq 100000; sleep 1000")
    page.evaluate(
        "window.longest = 0; new PerformanceObserver((list) => { for (const task of "
        "list.getEntries()) window.longest = Math.max(window.longest, task.duration); })"
        ".observe({ type: 'longtask' })"
    )

    page.locator("[data-process=flood] .process-main").click()
    expect(page.locator(".log-chunk").last).to_contain_text("100000")

    lines = page.locator(".log-chunk > div").count()
    assert lines <= 20_200
    assert page.evaluate("window.longest") <= 200
