"""Pages of Manta's that listen to a real sandbox through a real web process."""

import pytest

from sandboxes.inside.path import PATH
from tests.sandboxes.conftest import look_again, made, wanted  # noqa: F401
from tests.sandboxes.live.running import Page, Web, cookie_of


@pytest.fixture(scope="module")
def web_process(django_db_setup, blaxel):
    running = Web(BLAXEL_API_URL=blaxel.url).until_ready()
    yield running
    said = running.clear_away()
    assert "Traceback" not in said, said


@pytest.fixture
def web(transactional_db, web_process):
    return web_process


@pytest.fixture
def listen(web):
    pages = []

    def listen(who):
        cookie = who if isinstance(who, str) else cookie_of(who)
        pages.append(Page(web, cookie, path=PATH))
        return pages[-1]

    yield listen
    for page in pages:
        page.close()
