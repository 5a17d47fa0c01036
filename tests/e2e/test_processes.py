"""Processes and their logs, as a person uses them."""

from pathlib import Path

from playwright.sync_api import Page, Route, expect

from sandboxes.inside.path import LOGS_PATH as LOGS
from tests.e2e.person import move_in
from tests.e2e.visitor import Visitor

SAYS = "printf '\\033[31mred\\033[0m <b id=evil>x</b>\\n'; sleep 1000"

SPACE = "(line) => getComputedStyle(line).whiteSpace"
COUNTS = "i=0; while :; do i=$((i+1)); echo line $i.; sleep 0.2; done"


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

    first = row.get_attribute("data-pid") or ""
    page.get_by_role("button", name="Restart job").click()
    expect(row).not_to_have_attribute("data-pid", first)
    page.get_by_role("button", name="Stop job").click()
    expect(row).to_contain_text("stopped")

    start(page, "crash", "exit 3")
    expect(page.locator("[data-process=crash]")).to_contain_text("failed (3)")
    assert complaints == []


def test_a_log_is_searched_paused_wrapped_and_downloaded(page: Page, visitor: Visitor) -> None:
    open_pane(page, visitor)
    start(page, "counter", COUNTS)
    page.locator("[data-process=counter] .process-main").click()
    log, lines = page.get_by_label("Log", exact=True), page.get_by_role("log")
    expect(lines).to_contain_text("line 3.")

    log.get_by_label("Search the log").fill("LINE 2.")
    expect(log.locator("[data-log-found]")).to_have_text("1 line")
    expect(lines.locator("[data-found]")).to_have_text("line 2.")

    pause = log.get_by_role("button", name="Pause")
    pause.click()
    expect(pause).to_have_attribute("aria-pressed", "true")
    seen = lines.locator(".log-chunk > div").count()
    page.wait_for_timeout(1000)  # five more lines are said
    assert lines.locator(".log-chunk > div").count() == seen
    pause.click()
    expect(lines).to_contain_text(f"line {seen + 4}.")

    unwrapped = lines.locator(".log-chunk > div").first.evaluate(SPACE)
    log.get_by_role("button", name="Wrap lines").click()
    assert (unwrapped, lines.locator(".log-chunk > div").first.evaluate(SPACE)) == (
        "pre",
        "pre-wrap",
    )

    with page.expect_download() as downloading:
        log.get_by_role("link", name="Download the log").click()
    text = Path(downloading.value.path()).read_text()
    assert text.splitlines()[:3] == ["line 1.", "line 2.", "line 3."]


def test_the_first_look_asks_for_each_list_once(page: Page, visitor: Visitor) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.partition("/inside/")[2]))

    open_pane(page, visitor)

    expect(page.locator("[data-process=starter]")).to_be_visible()
    expect(page.locator("#ports-list [data-port='3000']")).to_be_attached()
    page.wait_for_timeout(1500)
    assert (asked.count("processes/"), asked.count("ports/?look")) == (1, 1)


def test_what_was_typed_wrongly_is_named(page: Page, visitor: Visitor) -> None:
    open_pane(page, visitor)

    start(page, "1234", "true")

    expect(page.locator(".process-start .errorlist")).to_contain_text("letters")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()


def test_the_keyboard_is_enough(page: Page, visitor: Visitor) -> None:
    open_pane(page, visitor)

    page.get_by_role("button", name="Start a process").press("Enter")
    expect(page.get_by_label("Command", exact=True)).to_be_focused()
    page.keyboard.type("sleep 1000")
    page.get_by_label("Name", exact=True).fill("job")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Start a process")).to_be_focused()
    expect(page.locator("#process-form form")).to_have_count(0)

    page.get_by_role("button", name="Restart job").press("Enter")
    expect(page.get_by_role("button", name="Restart job")).to_be_focused()
    page.locator("[data-shows-log=job]").press("Enter")
    page.get_by_role("button", name="Close the log").press("Enter")
    expect(page.locator("[data-shows-log=job]")).to_be_focused()

    page.get_by_role("button", name="Start a process").press("Enter")
    expect(page.get_by_label("Command", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#process-form form")).to_have_count(0)


def test_a_lost_connection_comes_back_without_a_line_twice(page: Page, visitor: Visitor) -> None:
    open_pane(page, visitor)
    start(page, "job", COUNTS)
    cut_off = {"body": "stdout:line 1.\nstdout:line 2.\nstdout:li", "content_type": "text/plain"}
    page.route(f"**{LOGS}**", lambda route: route.fulfill(**cut_off), times=1)

    page.locator("[data-shows-log=job]").click()

    lines = page.get_by_role("log")
    expect(lines).to_contain_text("line 30.")
    said = lines.locator(".log-chunk > div").all_inner_texts()
    assert said == [f"line {number}." for number in range(1, len(said) + 1)]


def test_what_does_not_stop_can_still_be_killed(page: Page, visitor: Visitor) -> None:
    open_pane(page, visitor)
    start(page, "job", "trap '' TERM; while :; do sleep 1; done")
    row = page.locator("[data-process=job]")

    page.get_by_role("button", name="Stop job").click()
    expect(page.get_by_role("button", name="Kill job")).to_be_enabled()
    expect(page.get_by_role("button", name="Stop job")).to_be_disabled()
    expect(row).to_contain_text("stopping…")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Kill job").click()

    expect(row).to_contain_text("killed")
    expect(row).not_to_have_attribute("aria-busy", "true")


def test_what_is_under_way_shows_until_it_has_happened(page: Page, visitor: Visitor) -> None:
    open_pane(page, visitor)
    start(page, "job", "sleep 1000")
    row = page.locator("[data-process=job]")
    first = row.get_attribute("data-pid") or ""
    held: list[Route] = []
    page.route("**/processes/*/", lambda route: held.append(route))

    with page.expect_request("**/processes/restart/"):
        page.get_by_role("button", name="Restart job").click()
    expect(row).to_have_attribute("aria-busy", "true")
    expect(row).to_contain_text("restarting…")
    expect(page.get_by_role("button", name="Kill job")).to_be_disabled()
    page.get_by_role("button", name="Stop job").click(force=True)
    page.evaluate("htmx.trigger('#process-list', 'processes:refresh')")
    assert [route.request.url.split("/")[-2] for route in held] == ["restart"]
    held[0].continue_()

    expect(row).not_to_have_attribute("data-pid", first)
    expect(row).not_to_have_attribute("aria-busy", "true")
    expect(page.get_by_role("button", name="Stop job")).to_be_enabled()


def test_what_fails_is_given_back_with_the_reason(page: Page, visitor: Visitor) -> None:
    open_pane(page, visitor)
    start(page, "job", "sleep 1000")
    refusal = {
        "status": 503,
        "headers": {"HX-Retarget": "#notices", "HX-Reswap": "beforeend"},
        "body": "<p>The sandbox is not answering.</p>",
    }
    page.route("**/processes/stop/", lambda route: route.fulfill(**refusal))

    page.get_by_role("button", name="Stop job").click()

    expect(page.locator("#notices")).to_contain_text("not answering")
    expect(page.get_by_role("button", name="Stop job")).to_be_enabled()
    expect(page.locator("[data-process=job]")).not_to_contain_text("stopping")


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

    assert page.locator(".log-chunk > div").count() <= 20_200
    expect(page.get_by_text("Only the last 20,000 lines are shown.")).to_be_visible()
    assert page.evaluate("window.longest") <= 200
