"""Processes and their logs, as a person uses them."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from sandboxes.streams.paths import PROCESS_LOGS
from tests.support.manta_process import Manta
from tests.support.person import move_in
from tests.support.visitor import Visitor
from tests.support.waiting import wait_until

# What a program says to a terminal: progress, attributes, a title, a link, colours of all kinds.
SHOWS = "; ".join(
    [
        r"printf '10%%\r55%%\r\033[K100%%\n'",
        r"printf '\033[1mbold\033(B\033[m plain\n'",
        r"printf '\033]0;title\007\033]8;;https://x.example\033\\link\033]8;;\033\\ '",
        r"printf '\033[?25l\033[4:3mwavy\033[0m\n'",
        r"printf '\033[32mgreen\nstill\033[0m\n'",
        r"printf '\033[38;5;208morange\033[38;2;1;2;3;48;2;250;250;0mink\033[0m\n'",
        r"printf 'one\ntwo\n\033[2AONE\n\n'",
        r"printf '\033[?1049hnot lost\033[?1049l\n\033[2J\033[3J\033[H'",
        "printf 'unknown: ' >&2",
        "printf 'name? '; sleep 1000",
    ]
)
SLOW = "for i in $(seq 20); do printf '\\r%d of 20' $i; sleep 0.1; done; sleep 1000"
ROTATES = "seq 1000; until [ -e go ]; do sleep 0.1; done; seq 6000000; touch gone; sleep 1000"
HIDE = """
(hidden) => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}
"""
SAYS = "printf '\\033[31mred\\033[0m <b id=evil>x</b>\\n'; sleep 1000"

SPACE = "(line) => getComputedStyle(line).whiteSpace"
# A list is asked for once more when the stream has said nothing of it.
HEARS = """
for (const name of ["inside:quiet", "processes:changed"])
  document.addEventListener(name, () => { window.heardOfProcesses = true; }, true);
"""
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


@pytest.mark.exhaustive
def test_a_log_is_read_as_a_terminal_reads_it(
    page: Page, visitor: Visitor, complaints: list[str]
) -> None:
    open_pane(page, visitor)
    start(page, "shows", SHOWS)

    page.locator("[data-process=shows] .process-main").click()

    lines = page.get_by_role("log")
    expect(lines).to_contain_text("name? ")
    told = [line.rstrip() for line in lines.locator(".log-chunk > div").all_inner_texts()]
    shown = ["100%", "bold plain", "link wavy", "green", "still", "orangeink", "ONE", "two"]
    assert told[:9] == [*shown, "not lost"]
    assert sorted(line for line in told[9:] if line) == ["name?", "unknown:"]
    assert lines.locator(".ansi-2").all_inner_texts() == ["green", "still"]
    assert lines.locator(".ansi-underline").all_inner_texts() == ["link", "wavy"]
    mixed = lines.locator(".ansi-mixed")
    assert mixed.inner_text() == "orange"
    assert mixed.evaluate("(span) => span.style.getPropertyValue('--ansi')") == "rgb(255 135 0)"
    expect(lines.get_by_text("ink", exact=True)).to_have_css("background-color", "rgb(250, 250, 0)")
    expect(lines.locator(".log-stderr")).to_have_text(["unknown: "])
    assert complaints == []


@pytest.mark.exhaustive
def test_a_line_that_goes_on_changes_where_it_is(page: Page, visitor: Visitor) -> None:
    open_pane(page, visitor)
    start(page, "slow", SLOW)

    page.locator("[data-process=slow] .process-main").click()

    lines = page.get_by_role("log").locator(".log-chunk > div")
    expect(lines).to_have_text(["20 of 20"])


@pytest.mark.exhaustive
def test_no_character_of_a_long_line_is_lost(page: Page, visitor: Visitor) -> None:
    open_pane(page, visitor)
    start(page, "long", "python3 -c \"print('x' + '€' * 200000)\"; echo end; sleep 1000")

    page.locator("[data-process=long] .process-main").click()

    lines = page.get_by_role("log")
    expect(lines).to_contain_text("end")
    assert (
        "".join(lines.locator(".log-chunk > div").all_inner_texts()) == "x" + "€" * 200000 + "end"
    )


@pytest.mark.exhaustive
@pytest.mark.timeout(600)  # tens of megabytes are shown, on a machine that may be busy
def test_a_log_that_rotates_while_the_tab_is_hidden_goes_on_with_the_oldest_line(
    page: Page, visitor: Visitor, manta: Manta
) -> None:
    open_pane(page, visitor)
    start(page, "job", ROTATES)
    page.locator("[data-process=job] .process-main").click()
    log, lines = page.get_by_label("Log", exact=True), page.get_by_role("log")
    expect(lines).to_contain_text("1000")

    page.evaluate(HIDE, True)
    expect(page.locator("html[data-inside=asleep]")).to_be_attached(timeout=30_000)
    rotate = "cd app; touch go; until [ -e gone ]; do sleep 0.1; done"
    manta.blaxel.run(visitor.until_ready(), rotate)
    page.evaluate(HIDE, False)
    page.locator("[data-wake]:visible").first.click()

    expect(lines.locator(".log-chunk > div").last).to_have_text("6000000", timeout=480_000)
    expect(log.locator("[data-log-cut]")).to_have_text(
        re.compile(r"[\d.]+ MB of the log is no longer kept. Only the last 20,000 lines are shown.")
    )


@pytest.mark.exhaustive
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
    download = log.get_by_role("link", name="Download the log")
    whole = download.get_attribute("href") or ""
    wait_until(lambda: f"line {seen + 5}." in page.request.get(whole).text())
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
        download.click()
    text = Path(downloading.value.path()).read_text()
    assert text.splitlines()[:3] == ["line 1.", "line 2.", "line 3."]


@pytest.mark.exhaustive
def test_the_first_look_asks_for_each_list_once(page: Page, visitor: Visitor) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.partition("/inside/")[2]))
    page.add_init_script(HEARS)

    open_pane(page, visitor)

    expect(page.locator("[data-process=starter]")).to_be_visible()
    expect(page.locator("#ports-list [data-port='3000']")).to_be_attached()
    page.wait_for_function("() => window.heardOfProcesses")
    page.wait_for_function("() => !document.querySelector('.htmx-request, .htmx-settling')")
    assert (asked.count("processes/"), asked.count("ports/?look")) == (1, 1)


def test_what_was_typed_wrongly_is_named(page: Page, visitor: Visitor) -> None:
    open_pane(page, visitor)

    start(page, "1234", "true")

    expect(page.locator(".process-start .errorlist")).to_contain_text("letters")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()


@pytest.mark.exhaustive
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


@pytest.mark.exhaustive
def test_a_lost_connection_comes_back_without_a_line_twice(page: Page, visitor: Visitor) -> None:
    open_pane(page, visitor)
    start(page, "job", COUNTS)
    body = '{"type":"stdout","data":"line 1.\\nli","position":10}\n{"type":"stdout","data":"ne 2."'
    cut_off = {"body": body, "content_type": "application/x-ndjson"}
    page.route(f"**{PROCESS_LOGS}**", lambda route: route.fulfill(**cut_off), times=1)

    page.locator("[data-shows-log=job]").click()

    lines = page.get_by_role("log")
    expect(lines).to_contain_text("line 30.")
    said = lines.locator(".log-chunk > div").all_inner_texts()
    assert said == [f"line {number}." for number in range(1, len(said) + 1)]


@pytest.mark.exhaustive
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


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["web/front end", 'it\'s "<b>" \\ 100%?#', "1234"])
def test_a_process_of_any_name_is_read_stopped_restarted_and_killed(
    page: Page, visitor: Visitor, manta: Manta, complaints: list[str], name: str
) -> None:
    open_pane(page, visitor)
    command = "echo said; sleep 1000"
    manta.blaxel.run(visitor.until_ready(), command, name=name, waitForCompletion=False)
    row = page.locator(f"[data-process={json.dumps(name)}]")

    row.locator(".process-main").click()
    expect(page.get_by_role("log")).to_contain_text("said")
    log = page.get_by_role("link", name="Download the log").get_attribute("href") or ""
    assert page.request.get(log).text() == "said\n"

    row.get_by_role("button", name=f"Stop {name}", exact=True).click()
    expect(row).to_contain_text("stopped")
    row.get_by_role("button", name=f"Restart {name}", exact=True).click()
    expect(row).to_contain_text("running")
    page.once("dialog", lambda dialog: dialog.accept())
    row.get_by_role("button", name=f"Kill {name}", exact=True).click()
    expect(row).to_contain_text("killed")
    assert complaints == []


@pytest.mark.exhaustive
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


@pytest.mark.exhaustive
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


@pytest.mark.exhaustive
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
    # All in one task would take seconds; how long each of them takes is for the machine to say.
    assert page.evaluate("window.longest") <= 1000
