from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.browsers import browser_name
from accounts.sessions import SignIn, ended
from tests.support.second_factors import sign_in

URL = "/account/sessions/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
)
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36"
)


def browser_of(user, agent=FIREFOX, ip="192.0.2.1"):
    client = Client(HTTP_USER_AGENT=agent, REMOTE_ADDR=ip)
    sign_in(client, user)
    return client


def row_of(client):
    return UserSession.objects.get(session_key=client.cookies["sessionid"].value)


def is_signed_in(client):
    return client.get("/workspace/").status_code == 200


@pytest.fixture
def here(alice):
    return browser_of(alice)


@pytest.fixture
def there(alice):
    return browser_of(alice, IPHONE, "192.0.2.2")


def test_the_list_has_this_browser_and_the_others(here, there):
    text = here.get(URL).text

    assert "Firefox on Linux <span" in text
    assert text.count(">this browser<") == 1
    assert "Safari on iPhone" in text
    assert "192.0.2.2" in text


def test_nobody_reads_of_somebody_elses(here, bob):
    bobs = browser_of(bob, CHROME, "192.0.2.77")

    assert "192.0.2.77" not in here.get(URL).text
    assert "192.0.2.77" in bobs.get(URL).text


def test_one_is_ended_and_is_out_at_its_next_request(here, there):
    response = here.post(f"{URL}{row_of(there).pk}/end/")

    assert response.url == URL
    assert not is_signed_in(there)
    assert is_signed_in(here)


def test_nobody_ends_somebody_elses(here, bob):
    bobs = browser_of(bob)

    response = here.post(f"{URL}{row_of(bobs).pk}/end/")

    assert response.status_code == 404
    assert is_signed_in(bobs)


def test_all_others_are_ended_and_nobody_elses(alice, here, there, bob):
    third, bobs = browser_of(alice, CHROME), browser_of(bob)

    here.post(f"{URL}elsewhere/end/")

    assert [is_signed_in(client) for client in (here, there, third, bobs)] == [
        True,
        False,
        False,
        True,
    ]


def test_the_streams_of_an_ended_one_end(here, there):
    one, other = (SignIn.of(c.cookies["sessionid"].value)[0] for c in (here, there))

    here.post(f"{URL}elsewhere/end/")

    assert ended({one, other}) == {other}


@pytest.mark.parametrize("path", [f"{URL}1/end/", f"{URL}elsewhere/end/"])
def test_ending_takes_a_post(here, there, path):
    assert here.get(path).status_code == 405
    assert is_signed_in(there)


def test_a_session_that_nobody_wrote_down_is_in_the_list_once_it_is_used(here, alice):
    there = Client(HTTP_USER_AGENT=CHROME, REMOTE_ADDR="192.0.2.9")
    there.force_login(alice)
    there.get("/account/")

    here.post(f"{URL}elsewhere/end/")

    assert not is_signed_in(there)


def test_the_last_use_is_noted_now_and_then(here):
    UserSession.objects.update(last_seen_at=timezone.now() - timedelta(days=1))

    here.get("/account/")
    caches["process"].clear()  # as some minutes later
    here.get("/account/")

    assert (timezone.now() - row_of(here).last_seen_at).total_seconds() < 60


def test_most_requests_write_nothing(here):
    here.get("/account/")
    seen = row_of(here).last_seen_at

    here.get("/account/")

    assert row_of(here).last_seen_at == seen


def test_expired_sessions_are_not_listed(here, there):
    Session.objects.filter(pk=row_of(there).session_key).delete()

    assert "192.0.2.2" not in here.get(URL).text


def test_no_page_shows_a_session_key(here, there):
    keys = Session.objects.values_list("pk", flat=True)

    assert not any(key in here.get(URL).text for key in keys)


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        (IPHONE, "Safari on iPhone"),
        (CHROME, "Chrome on Windows"),
        ("", "Unknown browser"),
    ],
)
def test_a_browser_has_the_name_that_people_use(agent, name):
    assert browser_name(agent) == name


def test_a_sign_in_forgets_what_has_ended_and_asks_nothing_of_each_other(alice):
    others = [browser_of(alice) for _ in range(3)]
    ended = row_of(others[0]).session_key
    Session.objects.filter(pk=ended).delete()
    with CaptureQueriesContext(connection) as few:
        browser_of(alice)
    for _ in range(5):
        browser_of(alice)

    with CaptureQueriesContext(connection) as many:
        browser_of(alice)

    assert len(many) == len(few)
    assert not UserSession.objects.filter(session_key=ended).exists()
    assert is_signed_in(others[1])
