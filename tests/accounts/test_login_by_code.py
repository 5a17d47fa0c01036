import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.utils import timezone

from sandboxes.models import Sandbox
from tests.support.second_factors import SECRET, confirm_email, give_totp
from tests.support.totp import code_of

REQUEST = "/accounts/login/code/"
CONFIRM = "/accounts/login/code/confirm/"

pytestmark = pytest.mark.django_db(transaction=True)


def ask_for_a_code(client, email="alice@example.com"):
    response = client.post(REQUEST, {"email": email})
    assert response.url == CONFIRM
    found = re.search(r"^([A-Z0-9]{3,}-?[A-Z0-9]{3,})\s*$", mail.outbox[-1].body, re.MULTILINE)
    return found[1] if found else ""


def is_signed_in(client):
    return client.get("/account/").status_code == 200


def test_the_sign_in_page_offers_it(client):
    assert REQUEST in client.get("/accounts/login/").text


def test_the_code_from_the_e_mail_signs_in_and_makes_the_sandbox(client, alice):
    code = ask_for_a_code(client)

    response = client.post(CONFIRM, {"code": code})

    assert mail.outbox[-1].to == ["alice@example.com"]
    assert response.url == "/workspace/"
    assert Sandbox.objects.get().owner == alice


def test_it_shows_that_the_address_is_theirs(client, alice):
    EmailAddress.objects.create(user=alice, email=alice.email, primary=True, verified=False)

    client.post(CONFIRM, {"code": ask_for_a_code(client)})

    assert EmailAddress.objects.get().verified


def test_a_wrong_code_is_refused(client, alice):
    ask_for_a_code(client)

    response = client.post(CONFIRM, {"code": "WRONG-CODE"})

    assert "Incorrect code" in response.text
    assert not is_signed_in(client)


def test_after_three_wrong_ones_the_right_one_is_refused(client, alice):
    code = ask_for_a_code(client)
    for _ in range(3):
        client.post(CONFIRM, {"code": "WRONG-CODE"})

    client.post(CONFIRM, {"code": code})

    assert not is_signed_in(client)


def test_an_expired_code_is_refused(client, alice, monkeypatch):
    code = ask_for_a_code(client)
    later = (timezone.now() + timedelta(minutes=11)).timestamp()
    monkeypatch.setattr("time.time", lambda: later)

    client.post(CONFIRM, {"code": code})

    assert not is_signed_in(client)


def test_a_code_is_of_the_browser_that_asked_for_it(client, alice):
    code = ask_for_a_code(client)
    other = type(client)()

    other.post(CONFIRM, {"code": code})

    assert not is_signed_in(other)


def test_a_code_works_once(client, alice):
    code = ask_for_a_code(client)
    client.post(CONFIRM, {"code": code})
    client.post("/accounts/logout/")

    client.post(CONFIRM, {"code": code})

    assert not is_signed_in(client)


def test_a_second_factor_is_asked_for_all_the_same(client, alice):
    give_totp(alice)

    response = client.post(CONFIRM, {"code": ask_for_a_code(client)})

    assert response.url == "/accounts/2fa/authenticate/"
    assert not is_signed_in(client)
    client.post(response.url, {"code": code_of(SECRET)})
    assert is_signed_in(client)


def test_nobody_learns_who_has_an_account(client, alice):
    confirm_email(alice)
    known = client.post(REQUEST, {"email": "alice@example.com"})
    unknown = type(client)().post(REQUEST, {"email": "nobody@example.com"})

    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)


def test_asking_for_codes_is_limited(client, alice):
    for _ in range(6):
        type(client)().post(REQUEST, {"email": "alice@example.com"})

    assert len(mail.outbox) == 3
