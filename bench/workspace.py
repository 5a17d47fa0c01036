"""The workspace as a browser loads it: what pages weigh, and how soon a file is there."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

import httpx
from playwright.sync_api import Browser, Page, Request, expect

from bench.installation import running
from bench.report import Group, Table
from bench.timing import by_turns, ratio, spread, table
from tests.support import chromium
from tests.support.blaxel_client import KEY
from tests.support.editor_page import Pane
from tests.support.manta_process import Manta
from tests.support.person import move_in, sign_in_as
from tests.support.terminal_pane import Terminals
from tests.support.visitor import Visitor

TIMES = 200
LINES = 100_000
FILE = "/blaxel/app/public/index.html"
FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
LONG_FILE = "/blaxel/long.js"
LONG = f"yes 'const a = 1; // some words' | head -n 190000 > {LONG_FILE}"
WATCH_LONG_TASKS = """
() => {
  window.longest = 0;
  new PerformanceObserver((list) => {
    for (const task of list.getEntries()) window.longest = Math.max(window.longest, task.duration);
  }).observe({ type: "longtask" });
}
"""
PAGES = {
    "Welcome, signed out": "/",
    "Account": "/account/",
    "Activity": "/sandbox/activity/",
    "Agents": "/sandbox/agents/",
    "Connect": "/sandbox/connect/",
    "API documentation": "/api/docs",
}


def measure() -> list[Table]:
    expect.set_options(timeout=30_000)
    path = chromium.find()
    with running() as (manta, visitor):
        # Awake all the time: what waking costs is measured elsewhere.
        name = visitor.until_ready()
        manta.blaxel.run(name, "sleep infinity", waitForCompletion=False, keepAlive=True)
        manta.blaxel.run(name, LONG)
        opened = _opening_a_file(visitor)
        with chromium.running(path) if path else nullcontext() as browser:
            if not browser:
                return [opened]
            return [
                opened,
                _weights(browser, manta, visitor),
                Table(
                    ("What", "Longest task", "Beside", "Aim"),
                    [_typing(browser, manta, visitor), _flood(browser, manta, visitor)],
                ),
            ]


def _opening_a_file(visitor: Visitor) -> Table:
    address = str((visitor.sandbox() or {})["sandboxUrl"])
    with httpx.Client(headers={"Authorization": f"Bearer {KEY}"}) as inside:
        taken, beside = by_turns(
            lambda: visitor.http.get(
                "/api/sandbox/files", params={"path": FILE}
            ).raise_for_status(),
            lambda: inside.get(f"{address}/filesystem/{FILE}").raise_for_status(),
            TIMES,
        )
    return table(spread("Open a file", taken, beside=ratio(taken, beside, "without Manta")))


@dataclass
class Weighed:
    """Bytes that came over the wire for one page, and the time of its first paint."""

    sizes: list[int] = field(default_factory=list)

    def add(self, request: Request) -> None:
        self.sizes.append(request.sizes()["responseBodySize"])

    def row(self, name: str, page: Page, aim: str = "") -> tuple[str, ...]:
        painted = f"{page.evaluate(FIRST_PAINT):.0f} ms"
        return (name, f"{sum(self.sizes) / 1000:.0f} KB", str(len(self.sizes)), painted, aim)


def _weights(browser: Browser, manta: Manta, visitor: Visitor) -> Table:
    """Each with an empty cache; what a preview shows is not Manta's."""
    rows = []
    with _weighing(browser, manta) as (page, weighed):
        workspace = move_in(page, visitor).page
        expect(workspace.locator("#pane-files")).to_contain_text("app")
        rows.append(weighed.row("Workspace", page))
        _open_a_file_and_a_terminal(workspace)
        rows.append(weighed.row("Workspace, editor and terminal open", page, aim="< 350 KB"))
    for name, path in PAGES.items():
        with _weighing(browser, manta) as (page, weighed):
            _go(page, visitor, path)
            rows.append(weighed.row(name, page))
    return Table(("First load", "Sent, compressed", "Requests", "First paint", "Aim"), rows)


def _typing(browser: Browser, manta: Manta, visitor: Visitor) -> tuple[str, ...]:
    """The longest that the page is busy while a sentence is typed; the browser tells from 50 ms."""
    longest = []
    for path in (LONG_FILE, FILE):
        with _weighing(browser, manta) as (page, _):
            pane = Pane(move_in(page, visitor).page)
            pane.open(path)
            expect(pane.text).not_to_be_empty()
            page.evaluate(WATCH_LONG_TASKS)
            pane.type("every letter of a sentence")
            pane.until_kept(path)
            longest.append(f"{page.evaluate('window.longest'):.0f} ms")
    return ("Typing into 5 MB", longest[0], f"{longest[1]} in a small file", "< 200 ms")


def _flood(browser: Browser, manta: Manta, visitor: Visitor) -> tuple[str, ...]:
    """The longest that the page is busy while a program writes more than anybody reads."""
    with _weighing(browser, manta) as (page, _):
        terminals = Terminals(move_in(page, visitor).page)
        page.locator("#pane-terminal").get_by_role("button", name="New terminal").first.click()
        expect(terminals.pane.locator(".terminal-panel:visible textarea")).to_be_focused()
        terminals.connected()
        page.evaluate(WATCH_LONG_TASKS)
        started = time.perf_counter()
        terminals.types(f"seq {LINES}; echo do''ne")
        terminals.shows("done")
        taken = 1000 * (time.perf_counter() - started)
        longest = float(page.evaluate("window.longest"))
    share = f"{longest / taken:.0%} of the {taken / 1000:.1f} s until they are shown"
    return (f"{LINES:,} lines in a terminal", f"{longest:.0f} ms", share, "< 1000 ms")


def _go(page: Page, visitor: Visitor, path: str) -> None:
    if path != "/":
        sign_in_as(page, visitor)
    page.goto(path, wait_until="load")
    page.wait_for_function(f"{FIRST_PAINT} > 0")


def _open_a_file_and_a_terminal(page: Page) -> None:
    page.evaluate(
        "path => document.body.dispatchEvent(new CustomEvent('files:open', {detail: {path}}))", FILE
    )
    expect(page.locator(".cm-content")).not_to_be_empty()
    page.locator("#pane-terminal").get_by_role("button", name="New terminal").first.click()
    expect(page.locator(".xterm-screen")).to_be_visible()


@contextmanager
def _weighing(browser: Browser, manta: Manta) -> Iterator[tuple[Page, Weighed]]:
    weighed = Weighed()
    size = {"width": 1440, "height": 900}
    with browser.new_context(base_url=manta.url, viewport=size) as context:
        context.on("requestfinished", weighed.add)
        page = context.new_page()
        page.route("**/*.localhost*/**", lambda route: route.abort())
        yield page, weighed


GROUP = Group("Workspace", measure)
