"""A person checks their own sandbox, in a real browser, by a real worker."""

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.chromium import browser_of_a_phone
from tests.support.manta_process import Manta
from tests.support.page_checks import OVERFLOW, TOO_SMALL, violations
from tests.support.person import sign_in_as
from tests.support.visitor import Visitor

STEPS = 7


def check(page: Page, visitor: Visitor) -> None:
    sign_in_as(page, visitor)
    page.goto("/sandbox/check/")
    page.get_by_role("button", name="Check my sandbox").click()
    expect(page.locator("#check").get_by_text("Everything works.")).to_be_visible()
    expect(page.locator("#check li.verdict-ok")).to_have_count(STEPS)


def test_everything_works_and_the_page_says_so_by_itself(
    page: Page, visitor: Visitor, complaints: list[str]
) -> None:
    check(page, visitor)

    expect(page.get_by_role("button", name="Check again")).to_be_enabled()
    assert violations(page) == []
    assert complaints == []


@pytest.fixture
def plain_context(browser: Browser, manta: Manta) -> BrowserContext:
    return browser.new_context(base_url=manta.url, java_script_enabled=False)


@pytest.mark.exhaustive
def test_it_works_without_javascript(plain_context: BrowserContext, visitor: Visitor) -> None:
    check(plain_context.new_page(), visitor)

    plain_context.close()


@pytest.mark.exhaustive
def test_it_fits_a_phone(browser: Browser, manta: Manta, visitor: Visitor) -> None:
    context = browser.new_context(base_url=manta.url, **browser_of_a_phone())
    page = context.new_page()

    check(page, visitor)

    assert page.evaluate(OVERFLOW) == 0
    assert page.evaluate(TOO_SMALL) == []
    context.close()
