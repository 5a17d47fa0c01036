"""A sandbox that has been used already, and windows of the sizes in which pages are checked."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.support import sample_activity
from tests.support.chromium import browser_of_a_phone
from tests.support.manta_process import Parts
from tests.support.page_checks import ENLARGED
from tests.support.page_states import Still, held


@pytest.fixture(scope="module")
def still(whole_parts: Parts) -> Iterator[Still]:
    with held(whole_parts) as still:
        sample_activity.leave(still.visitor)
        yield still


@pytest.fixture
def address(still: Still) -> str:
    return still.url


@pytest.fixture
def phone(browser: Browser, still: Still) -> Iterator[Page]:
    context = browser.new_context(base_url=still.url, **browser_of_a_phone())
    yield context.new_page()
    context.close()


@pytest.fixture
def enlarged(browser: Browser, still: Still) -> Iterator[Page]:
    """1280 x 800 pixels at 200 %."""
    context = browser.new_context(
        base_url=still.url,
        viewport=ENLARGED,
        device_scale_factor=2,
        reduced_motion="reduce",
    )
    yield context.new_page()
    context.close()
