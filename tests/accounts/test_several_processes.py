"""Sign-ins at two web processes that have the database in common, and nothing else."""

import re

import httpx
import pytest

from tests.support.factories import PASSWORD, UserFactory
from tests.support.second_factors import SECRET, confirm_email, give_totp
from tests.support.totp import code_of
from tests.support.web_process import Web

LOGIN, LOGOUT = "/accounts/login/", "/accounts/logout/"
AUTHENTICATE = "/accounts/2fa/authenticate/"
CSRF_TOKEN = r'name="csrfmiddlewaretoken" value="(\w+)"'


@pytest.fixture(scope="module")
def running(django_db_setup):
    # Pages need no collected static files where DEBUG is set.
    environ = {"DJANGO_SETTINGS_MODULE": "tests.support.running_settings", "DEBUG": "1"}
    webs = [Web(**environ), Web(**environ)]
    yield [web.until_ready() for web in webs]
    said = "".join([web.clear_away() for web in webs])
    assert "Traceback" not in said, said


@pytest.fixture
def webs(transactional_db, running):
    return running


class Browser:
    """One with the same cookies at both processes, as behind a proxy."""

    def __init__(self, webs):
        self._webs = webs
        self._http = httpx.Client(trust_env=False, timeout=60)

    def get(self, at, path):
        return self._http.get(self._webs[at].url + path)

    def post(self, at, path, **form):
        page = self.get(at, "/account/" if path == LOGOUT else path)
        form["csrfmiddlewaretoken"] = re.search(CSRF_TOKEN, page.text)[1]
        return self._http.post(self._webs[at].url + path, data=form)

    def sign_in(self, at, user, password=PASSWORD):
        return self.post(at, LOGIN, login=user.email, password=password)

    def is_signed_in(self, at):
        return self.get(at, "/account/").status_code == 200


@pytest.fixture
def browser(webs):
    return Browser(webs)


@pytest.fixture
def someone(transactional_db):
    return UserFactory(email="someone@example.com")


def test_wrong_passwords_at_either_count_together(browser, someone):
    answers = [browser.sign_in(n % 2, someone, f"guess {n}").text for n in range(8)]

    limited = ["Too many failed login attempts" in answer for answer in answers]
    assert limited == [False] * 5 + [True] * 3


def test_a_code_of_an_app_is_spent_at_both(webs, someone):
    give_totp(someone)
    first, second = Browser(webs), Browser(webs)
    first.sign_in(0, someone)
    second.sign_in(1, someone)
    code = code_of(SECRET)

    accepted = first.post(0, AUTHENTICATE, code=code)
    refused = second.post(1, AUTHENTICATE, code=code)

    assert (accepted.status_code, first.is_signed_in(1)) == (302, True)
    assert (refused.status_code, second.is_signed_in(1)) == (200, False)


def test_a_sign_out_at_one_is_one_at_both(browser, someone):
    confirm_email(someone)
    browser.sign_in(0, someone)
    before = browser.is_signed_in(1)

    browser.post(0, LOGOUT)

    assert (before, browser.is_signed_in(1)) == (True, False)
