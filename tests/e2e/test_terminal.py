"""The terminal pane, as a person at a keyboard uses it."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, expect

from tests.support.manta_process import Manta, Parts
from tests.support.person import move_in
from tests.support.terminal_pane import Terminals
from tests.support.visitor import Visitor
from tests.support.waiting import wait_until

# Tasks of the page that took longer than a person notices, while many lines come.
LONG_TASKS = """
window.longest = 0;
new PerformanceObserver((list) => {
  window.longest = Math.max(window.longest, ...list.getEntries().map((task) => task.duration));
}).observe({ type: "longtask" });
"""
HIDE = """
(hidden) => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}
"""


def test_a_counter_runs_on_through_reload_and_standby(
    terminals: Terminals, page: Page, visitor: Visitor, manta: Manta, complaints: list[str]
) -> None:
    terminals.add()
    terminals.types("count=40; for i in 1 2; do count=$((count+1)); done; echo now=$count")
    terminals.shows("now=42")

    page.goto("about:blank")
    name = visitor.until_ready()
    wait_until(lambda: manta.blaxel.sleeps(name), 60)
    page.goto("/workspace/")
    expect(terminals.tab("Terminal 1")).to_be_visible()
    terminals.pane.locator(".xterm-helper-textarea").focus()
    terminals.types("echo then=$((count+1))")

    terminals.shows("then=43")
    terminals.shows("now=42")
    assert complaints == []


@pytest.mark.exhaustive
def test_a_hidden_tab_lets_the_sandbox_sleep_and_typing_wakes_it(
    terminals: Terminals, page: Page, visitor: Visitor, manta: Manta
) -> None:
    terminals.add()
    terminals.types("echo once-$((1+1))")
    terminals.shows("once-2")
    page.evaluate(HIDE, True)
    expect(terminals.words).to_contain_text("Asleep", timeout=60_000)
    name = visitor.until_ready()
    wait_until(lambda: manta.blaxel.sleeps(name), 60)
    page.evaluate(HIDE, False)

    terminals.types("echo twice-$((2+2))")

    terminals.shows("twice-4")
    assert terminals.screen.inner_text().count("once-2") == 1


@pytest.mark.exhaustive
def test_a_file_that_opens_late_takes_no_key_from_a_terminal(
    terminals: Terminals, page: Page
) -> None:
    late: list[Route] = []
    page.route(re.compile(r"/api/sandbox/files.*serve\.mjs"), lambda route: late.append(route))
    page.get_by_role("treeitem", name="serve.mjs").click()
    terminals.add()
    page.unroute_all()

    expect(page.locator("#pane-editor .cm-content")).to_contain_text("createServer")
    page.keyboard.type("echo still-$((1+1))-here\n", delay=30)

    assert late
    terminals.shows("still-2-here")


@pytest.mark.exhaustive
def test_several_are_named_and_closed_and_the_same_in_every_tab(
    terminals: Terminals, page: Page, context: BrowserContext
) -> None:
    terminals.add()
    terminals.types("echo in-the-first")
    terminals.add()
    terminals.types("sleep 1000")
    terminals.tab("Terminal 2").dblclick()
    page.keyboard.type("server")
    page.keyboard.press("Enter")
    expect(terminals.tab("server")).to_be_visible()
    other = Terminals(context.new_page())
    other.page.goto("/workspace/")
    expect(other.tab("server")).to_be_visible()

    terminals.pane.get_by_role("button", name="Close server").click()
    expect(page.get_by_role("dialog")).to_contain_text("sleep still runs in server")
    page.get_by_role("button", name="Close it and stop the program").click()

    expect(terminals.tab("server")).to_have_count(0)
    terminals.tab("Terminal 1").click()
    expect(terminals.line("in-the-first")).to_be_visible()
    other.page.reload()
    expect(other.tab("Terminal 1")).to_be_visible()
    expect(other.tab("server")).to_have_count(0)


@pytest.mark.exhaustive
def test_what_is_selected_is_copied_and_pasted(terminals: Terminals, page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    terminals.add()
    terminals.types("echo copied-$((1+1))")
    expect(terminals.line("copied-2")).to_be_visible()

    terminals.click("copied-2", times=2)
    page.keyboard.press("Control+Shift+C")
    assert page.evaluate("navigator.clipboard.readText()") == "copied-2"
    page.keyboard.type("echo and-")
    page.keyboard.press("Control+Shift+V")
    page.keyboard.press("Enter")

    expect(terminals.line("and-copied-2")).to_be_visible()


@pytest.mark.exhaustive
def test_several_lines_are_pasted_and_not_run_before_they_are_entered(
    terminals: Terminals, page: Page
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    terminals.add()
    terminals.types("bash --norc")
    terminals.shows("bash-")
    page.evaluate("navigator.clipboard.writeText('echo one-$((0+1))\\necho two-$((1+1))')")

    page.keyboard.press("Control+Shift+V")
    terminals.shows("echo two-$((1+1))")
    expect(terminals.line("one-1")).to_have_count(0)
    page.keyboard.press("Enter")

    expect(terminals.line("two-2")).to_be_visible()
    expect(terminals.line("one-1")).to_be_visible()


@pytest.mark.exhaustive
def test_a_link_opens_in_a_tab_that_knows_nothing_of_manta(
    terminals: Terminals, page: Page
) -> None:
    asked: list[Request] = []

    def answer(route: Route) -> None:
        asked.append(route.request)
        route.fulfill(body="elsewhere", content_type="text/html")

    page.context.route("https://elsewhere.example/**", answer)
    terminals.add()
    terminals.types("echo https://elsewhere.''example/page")
    expect(terminals.line("https://elsewhere.example/page")).to_be_visible()

    with page.context.expect_page() as opened:
        terminals.click("https://elsewhere.example/page")

    expect(opened.value.get_by_text("elsewhere")).to_be_visible()
    assert opened.value.evaluate("[window.opener, document.referrer]") == [None, ""]
    assert {"cookie", "referer", "authorization"}.isdisjoint(asked[0].all_headers())


@pytest.mark.exhaustive
def test_what_has_left_the_screen_is_found(terminals: Terminals, page: Page) -> None:
    terminals.add()
    terminals.types("echo needle-$((1+1)); seq 500; echo needle-$((2+2)); seq 501 999; echo la''st")
    terminals.shows("last")
    expect(terminals.line("needle-2")).to_have_count(0)

    page.keyboard.press("Control+Shift+F")
    page.keyboard.type("needle-")
    page.keyboard.press("Shift+Enter")
    expect(terminals.line("needle-4")).to_be_visible()
    page.keyboard.press("Shift+Enter")
    expect(terminals.line("needle-2")).to_be_visible()
    expect(terminals.pane.get_by_text("Not found")).to_have_count(0)
    page.keyboard.press("Escape")
    terminals.types("echo back-$((5+5))")

    expect(terminals.line("back-10")).to_be_visible()


@pytest.mark.exhaustive
def test_the_size_of_text_is_that_of_editor_terminal_and_logs(
    terminals: Terminals, page: Page
) -> None:
    terminals.add()
    terminals.types("echo bi''g")
    rows = terminals.screen.locator("> div")
    before = rows.count()
    page.get_by_role("button", name="Workspace settings").click()

    page.get_by_label("Font size").fill("24")
    page.keyboard.press("Tab")

    expect(terminals.line("big")).to_have_css("font-size", "24px")
    expect(page.locator("[data-log-lines]")).to_have_css("font-size", "24px")
    expect(rows).not_to_have_count(before)
    page.reload()
    terminals.connected()
    expect(terminals.line("big")).to_have_css("font-size", "24px")


@pytest.fixture
def fragile(parts: Parts, browser: Browser) -> Iterator[tuple[Terminals, str]]:
    """An open terminal of a Manta whose parts may be killed, and its sandbox's name."""
    context = browser.new_context(base_url=parts.url, viewport={"width": 1440, "height": 900})
    with Visitor(parts.url) as visitor:
        visitor.sign_up()
        name = visitor.until_ready()
        page = move_in(context.new_page(), visitor).page
        terminals = Terminals(page)
        terminals.add()
        yield terminals, name
    context.close()


@pytest.mark.exhaustive
def test_it_comes_back_after_the_provider_was_away(
    fragile: tuple[Terminals, str], parts: Parts
) -> None:
    terminals, _ = fragile
    terminals.types("count=41; echo se''t")
    terminals.shows("set")

    parts.kill("local_blaxel")
    expect(terminals.words).to_contain_text("The connection was lost. Reconnecting in")
    parts.mend()
    terminals.connected()
    terminals.types("echo =$((count+1))=")

    terminals.shows("=42=")
    expect(terminals.screen).not_to_contain_text("The earlier shell is gone")


@pytest.mark.exhaustive
def test_a_shell_that_is_gone_with_its_sandboxs_agent_is_told(
    fragile: tuple[Terminals, str], parts: Parts
) -> None:
    terminals, name = fragile
    terminals.types("count=41; echo se''t")
    terminals.shows("set")

    parts.crash(name)

    terminals.shows("The earlier shell is gone, with what ran in it. This is a new one.")
    terminals.connected()
    terminals.types("echo =$((count+1))=")
    terminals.shows("=1=")


def test_a_sign_out_elsewhere_ends_it(terminals: Terminals, visitor: Visitor) -> None:
    terminals.page.route("**/sandbox/panel/**", lambda route: route.fulfill(status=204))
    terminals.page.route("**/live/**", lambda route: route.abort())
    terminals.page.route("**/workspace/inside/**", lambda route: route.abort())
    terminals.add()

    visitor.sign_out()

    expect(terminals.words).to_have_text("You have signed out. Sign in to go on")


@pytest.mark.exhaustive
def test_a_shell_that_ended_is_started_again(terminals: Terminals) -> None:
    terminals.add()
    terminals.types("exit")
    expect(terminals.words).to_have_text("The shell has ended")

    terminals.pane.get_by_role("button", name="Restart").click()
    terminals.connected()
    terminals.types("echo again-$((1+1))")

    terminals.shows("again-2")


@pytest.mark.exhaustive
def test_all_of_it_can_be_done_with_the_keyboard(terminals: Terminals, page: Page) -> None:
    terminals.add()
    terminals.types("echo find-$((4+4))")
    terminals.shows("find-8")
    page.keyboard.press("Control+Shift+F")
    page.keyboard.type("find-9")
    expect(terminals.pane.get_by_text("Not found")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+Shift+.")
    expect(terminals.tab("Terminal 1")).to_be_focused()
    page.keyboard.press("F2")
    page.keyboard.type("mine")
    page.keyboard.press("Enter")
    expect(terminals.tab("mine")).to_be_focused()
    page.keyboard.press("ArrowDown")
    terminals.types("echo back-$((5+5))")
    terminals.shows("back-10")
    page.keyboard.press("Control+Shift+.")
    page.keyboard.press("Delete")
    expect(terminals.pane.get_by_text("No terminal is open.")).to_be_visible()


@pytest.mark.exhaustive
def test_a_hundred_thousand_lines_stay_smooth(
    terminals: Terminals, page: Page, complaints: list[str]
) -> None:
    terminals.add()
    page.evaluate(LONG_TASKS)

    terminals.types("seq 100000; echo do''ne")

    terminals.shows("done")
    # All the lines in one task take seconds; each of many is short, but for a busy machine.
    assert page.evaluate("window.longest") < 1000
    assert complaints == []


@pytest.mark.exhaustive
def test_on_a_phone_and_read_aloud(terminals: Terminals, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("button", name="Terminal", exact=True).click()
    terminals.add()
    terminals.pane.get_by_role("button", name="Screen reader mode").click()
    terminals.tab("Terminal 1").click()
    terminals.types("echo loud-$((2+2))")

    expect(terminals.pane.locator(".xterm-accessibility")).to_contain_text(re.compile("loud-4"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
