"""Pages of Manta's that listen to a real sandbox through a real web process."""

import pytest

from sandboxes.streams.paths import SANDBOX_EVENTS
from tests.support.web_process import Page, cookie_of


@pytest.fixture
def listen(web):
    pages = []

    def listen(who):
        cookie = who if isinstance(who, str) else cookie_of(who)
        pages.append(Page(web, cookie, path=SANDBOX_EVENTS))
        return pages[-1]

    yield listen
    for page in pages:
        page.close()
