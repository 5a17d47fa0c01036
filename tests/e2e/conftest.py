"""Whole Mantas, and Chromium. One Manta is shared; another may be killed piece by piece."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.support import chromium
from tests.support.editor_page import Disk, Pane
from tests.support.manta_process import Manta, Parts, copy_of
from tests.support.page_states import Still, held
from tests.support.person import move_in
from tests.support.prepared_state import prepared_state
from tests.support.terminal_pane import Terminals
from tests.support.visitor import Visitor

expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def manta() -> Iterator[Manta]:
    with copy_of(prepared_state()) as state_dir, Manta(state_dir) as running:
        yield running


@pytest.fixture(scope="session")
def whole_parts() -> Iterator[Parts]:
    with copy_of(prepared_state()) as state_dir, Parts(state_dir) as running:
        yield running


@pytest.fixture
def parts(whole_parts: Parts) -> Parts:
    """A Manta that the test may kill or stop pieces of; whole and empty again for each test."""
    whole_parts.mend()
    whole_parts.blaxel.delete_all()
    return whole_parts


@pytest.fixture
def visitor(manta: Manta) -> Iterator[Visitor]:
    """Somebody with an account and a sandbox that is ready."""
    with Visitor(manta.url) as visitor:
        visitor.sign_up()
        visitor.until_ready()
        yield visitor


# Not for the session: Playwright keeps an event loop running, which the asynchronous tests of other
# packages can't have.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = chromium.find()
    if path is None:
        pytest.skip(f"There is no Chromium: none of {', '.join(chromium.NAMES)} is on the PATH.")
    with chromium.running(path) as browser:
        yield browser


@pytest.fixture(scope="module")
def still(whole_parts: Parts) -> Iterator[Still]:
    """A sandbox that is held in one state or another, to be looked at."""
    with held(whole_parts) as still:
        yield still


@pytest.fixture
def address(manta: Manta) -> str:
    """The address of the Manta that is visited; modules that look at `still` name another."""
    return manta.url


@pytest.fixture
def context(browser: Browser, address: str) -> Iterator[BrowserContext]:
    """A browser of one's own, without a cookie."""
    context = browser.new_context(base_url=address, viewport={"width": 1440, "height": 900})
    yield context
    context.close()


@pytest.fixture
def complaints(context: BrowserContext) -> list[str]:
    """The browser's complaints: scripts' errors, and violations of the policy."""
    found: list[str] = []

    def hear(said: ConsoleMessage) -> None:
        if said.type == "error":
            found.append(f"{said.text} ({said.location['url']})")

    context.on("console", hear)
    context.on("weberror", lambda error: found.append(str(error.error)))
    return found


@pytest.fixture
def page(context: BrowserContext, complaints: list[str]) -> Page:
    return context.new_page()


@pytest.fixture
def disk(manta: Manta, visitor: Visitor) -> Disk:
    return Disk(manta, visitor)


@pytest.fixture
def pane(page: Page, visitor: Visitor) -> Pane:
    """The editor of the visitor's workspace."""
    return Pane(move_in(page, visitor).page)


@pytest.fixture
def terminals(page: Page, visitor: Visitor) -> Terminals:
    move_in(page, visitor)
    found = Terminals(page)
    expect(found.pane).to_be_visible()
    expect(found.pane.locator("[data-terminal=add]")).to_be_visible()
    return found
