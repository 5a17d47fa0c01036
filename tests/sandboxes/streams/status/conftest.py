from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.web_process import Page, Web, cookie_of


@pytest.fixture(scope="module")
def webs(django_db_setup: None) -> Iterator[list[Web]]:
    """Two web processes on one database. They find whatever a test has committed."""
    running = [Web(), Web()]
    yield [web.until_ready() for web in running]
    said = "".join([web.clear_away() for web in running])
    assert "Traceback" not in said, said


@pytest.fixture
def web(transactional_db: None, webs: list[Web]) -> Web:
    return webs[0]


@pytest.fixture
def other_web(transactional_db: None, webs: list[Web]) -> Web:
    return webs[1]


@pytest.fixture
def listen() -> Iterator[Callable[..., Page]]:
    """Open a page of a user's, or one with a cookie; all are closed after the test."""
    pages: list[Page] = []

    def listen(web: Web, who: Any, after: str = "") -> Page:
        cookie = who if isinstance(who, str) else cookie_of(who)
        pages.append(Page(web, cookie, after))
        return pages[-1]

    yield listen
    for page in pages:
        page.close()
