"""The workspace as a browser loads it: what pages weigh, and how soon a file is there."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

import httpx
from playwright.sync_api import Browser, Page, Request, expect

from bench.report import Group, Table
from bench.timing import by_turns, ratio, spread, table
from tests.e2e import chromium
from tests.e2e.blaxel import KEY
from tests.e2e.manta import Manta
from tests.e2e.person import move_in, sign_in_as
from tests.e2e.visitor import Visitor
from tests.scripts.supervisor import new_state_dir

TIMES = 300
FILE = "/blaxel/app/public/index.html"
FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
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
    with new_state_dir() as state_dir, Manta(state_dir) as manta, Visitor(manta.url) as visitor:
        visitor.sign_up()
        # Awake all the time: what waking costs is measured elsewhere.
        manta.blaxel.run(
            visitor.until_ready(), "sleep infinity", waitForCompletion=False, keepAlive=True
        )
        opened = _opening_a_file(visitor)
        with chromium.running(path) if path else nullcontext() as browser:
            weights = _weights(browser, manta, visitor) if browser else []
    headings = ("First load", "Sent, compressed", "Requests", "First paint", "Aim")
    return [opened, *([Table(headings, weights)] if weights else [])]


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
    """What came over the wire for one page, and when it was first seen."""

    sizes: list[int] = field(default_factory=list)

    def add(self, request: Request) -> None:
        self.sizes.append(request.sizes()["responseBodySize"])

    def row(self, name: str, page: Page, aim: str = "") -> tuple[str, ...]:
        painted = f"{page.evaluate(FIRST_PAINT):.0f} ms"
        return (name, f"{sum(self.sizes) / 1000:.0f} KB", str(len(self.sizes)), painted, aim)


def _weights(browser: Browser, manta: Manta, visitor: Visitor) -> list[tuple[str, ...]]:
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
    return rows


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
        page.route("**/*.preview.localhost*/**", lambda route: route.abort())
        yield page, weighed


GROUP = Group("Workspace", measure)
