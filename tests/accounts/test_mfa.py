"""Second factors, without a browser; passkeys are in tests/e2e/test_passkeys.py."""

import re
import time

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core import mail

from sandboxes.models import Sandbox
from tests.support.second_factors import (
    SECRET,
    confirm_email,
    give_totp,
    reauthenticate,
    sign_in,
)
from tests.support.totp import code_of

AUTHENTICATE = "/accounts/2fa/authenticate/"
ACTIVATE = "/accounts/2fa/totp/activate/"
DEACTIVATE = "/accounts/2fa/totp/deactivate/"


def is_signed_in(client):
    return client.get("/account/").status_code == 200


@pytest.fixture
def alice_reauthenticated(client, alice):
    confirm_email(alice)
    client.force_login(alice)
    reauthenticate(client)
    return client


@pytest.mark.django_db(transaction=True)
def test_an_authenticator_app_is_set_up_with_its_first_code(alice_reauthenticated, alice):
    page = alice_reauthenticated.get(ACTIVATE).text
    secret = re.search(r'id="totp-secret">([A-Z2-7]{32})<', page)[1]

    response = alice_reauthenticated.post(ACTIVATE, {"code": code_of(secret)}, follow=True)

    assert "data:image/svg" in page
    assert response.status_code == 200
    assert set(Authenticator.objects.values_list("type", flat=True)) == {"totp", "recovery_codes"}
    assert mail.outbox[-1].to == [alice.email]


def test_a_wrong_first_code_sets_up_nothing(alice_reauthenticated):
    alice_reauthenticated.get(ACTIVATE)

    response = alice_reauthenticated.post(ACTIVATE, {"code": "000000"})

    assert "Incorrect code" in response.text
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize("path", [ACTIVATE, "/accounts/2fa/webauthn/add/"])
def test_setting_one_up_asks_for_the_password_first(client, alice, path):
    confirm_email(alice)
    client.force_login(alice)

    assert client.get(path).url.startswith("/accounts/reauthenticate/")


@pytest.mark.parametrize("path", [DEACTIVATE, "/accounts/2fa/recovery-codes/"])
def test_what_takes_protection_away_asks_for_the_password_first(client, alice, path):
    give_totp(alice)
    client.force_login(alice)

    assert client.get(path).url.startswith("/accounts/reauthenticate/")
    assert client.post(path).status_code in (302, 405)
    assert Authenticator.objects.filter(type="totp").exists()


def test_nobody_protects_an_account_whose_address_is_not_confirmed(client, alice):
    EmailAddress.objects.create(user=alice, email=alice.email, verified=False, primary=True)
    client.force_login(alice)
    reauthenticate(client)

    response = client.get(ACTIVATE, follow=True)

    assert response.redirect_chain[-1][0] == "/account/"
    assert "Confirm your e-mail address first" in response.text


@pytest.mark.django_db(transaction=True)
def test_the_password_alone_signs_nobody_in_and_makes_no_sandbox(client, alice):
    give_totp(alice)

    response = sign_in(client, alice)

    assert response.url == AUTHENTICATE
    assert not is_signed_in(client)
    assert not Sandbox.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_password_and_code_sign_in_and_make_the_sandbox(client, alice):
    give_totp(alice)
    sign_in(client, alice)

    response = client.post(AUTHENTICATE, {"code": code_of(SECRET)})

    assert response.url == "/workspace/"
    assert is_signed_in(client)
    assert Sandbox.objects.get().owner == alice


@pytest.mark.django_db(transaction=True)
def test_a_code_works_once(client, alice):
    give_totp(alice)
    code = code_of(SECRET)
    sign_in(client, alice)
    client.post(AUTHENTICATE, {"code": code})
    client.post("/accounts/logout/")

    sign_in(client, alice)
    response = client.post(AUTHENTICATE, {"code": code})

    assert "Incorrect code" in response.text
    assert not is_signed_in(client)


@pytest.mark.django_db(transaction=True)
def test_a_code_works_once_for_as_long_as_it_is_valid(client, alice, monkeypatch):
    give_totp(alice)
    now = time.time()
    code = code_of(SECRET, at=now)
    sign_in(client, alice)
    client.post(AUTHENTICATE, {"code": code})
    client.post("/accounts/logout/")
    monkeypatch.setattr("time.time", lambda: now + 31)

    sign_in(client, alice)
    client.post(AUTHENTICATE, {"code": code})

    assert not is_signed_in(client)


@pytest.mark.django_db(transaction=True)
def test_the_code_that_set_it_up_is_used_up(alice_reauthenticated, alice, client):
    secret = re.search(
        r'id="totp-secret">([A-Z2-7]{32})<', alice_reauthenticated.get(ACTIVATE).text
    )
    code = code_of(secret[1])
    alice_reauthenticated.post(ACTIVATE, {"code": code})
    alice_reauthenticated.post("/accounts/logout/")

    sign_in(client, alice)
    client.post(AUTHENTICATE, {"code": code})

    assert not is_signed_in(client)


@pytest.mark.django_db(transaction=True)
def test_a_code_of_some_minutes_ago_is_refused(client, alice):
    give_totp(alice)
    sign_in(client, alice)

    client.post(AUTHENTICATE, {"code": code_of(SECRET, at=time.time() - 300)})

    assert not is_signed_in(client)


@pytest.mark.django_db(transaction=True)
def test_a_recovery_code_signs_in_once(client, alice):
    code = give_totp(alice)[0]
    sign_in(client, alice)

    assert client.post(AUTHENTICATE, {"code": code}).url == "/workspace/"
    client.post("/accounts/logout/")
    sign_in(client, alice)
    client.post(AUTHENTICATE, {"code": code})

    assert not is_signed_in(client)


@pytest.mark.django_db(transaction=True)
def test_another_persons_recovery_code_signs_nobody_in(client, alice, bob):
    give_totp(alice)
    code = give_totp(bob)[0]
    sign_in(client, alice)

    client.post(AUTHENTICATE, {"code": code})

    assert not is_signed_in(client)


@pytest.mark.django_db(transaction=True)
def test_guessing_codes_is_limited(client, alice):
    give_totp(alice)
    sign_in(client, alice)

    for _ in range(6):
        response = client.post(AUTHENTICATE, {"code": "000000"})
    right = client.post(AUTHENTICATE, {"code": code_of(SECRET)})

    assert "Too many" in response.text
    assert right.status_code != 302
    assert not is_signed_in(client)


def test_turning_it_off_takes_the_recovery_codes_along(client, alice):
    give_totp(alice)
    client.force_login(alice)
    reauthenticate(client)

    client.post(DEACTIVATE)

    assert not Authenticator.objects.exists()


def test_the_account_page_says_what_is_on(client, alice):
    client.force_login(alice)
    before = client.get("/account/").text
    give_totp(alice)

    after = client.get("/account/").text

    assert "Set up" in before
    assert "left</span>" not in before
    assert "Turn off" in after
    assert "10 left" in after


def test_an_admin_can_remove_a_lost_one_and_reads_no_secret(client, admin_user, alice):
    codes = give_totp(alice)
    client.force_login(admin_user)
    totp = Authenticator.objects.get(type="totp")
    path = f"/admin/mfa/authenticator/{totp.pk}/"

    page = client.get(f"{path}change/").text
    client.post(f"{path}delete/", {"post": "yes"})

    assert SECRET not in page
    assert codes[0] not in page
    assert not Authenticator.objects.filter(pk=totp.pk).exists()


@pytest.mark.parametrize("model", ["socialapp", "socialtoken"])
def test_no_admin_page_shows_what_providers_gave_us(client, admin_user, model):
    client.force_login(admin_user)

    assert client.get(f"/admin/socialaccount/{model}/").status_code == 404
