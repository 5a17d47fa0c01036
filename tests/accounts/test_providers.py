"""Signing in with GitHub and Google, against a server that does what they do."""

import re
import subprocess
import sys
from html import unescape

import httpx
import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.github.views import GitHubOAuth2Adapter
from allauth.socialaccount.providers.google.views import GoogleOAuth2Adapter
from allauth.usersessions.models import UserSession
from django.test import Client

from accounts.models import User
from sandboxes.models import Sandbox
from tests.support.oauth_provider import Person, Provider
from tests.support.second_factors import SECRET, confirm_email, give_totp, reauthenticate
from tests.support.supervisor import ROOT
from tests.support.totp import code_of

BOTH = pytest.mark.parametrize("name", ["github", "google"])
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def _provider():
    with Provider() as provider:
        yield provider


@pytest.fixture
def provider(_provider, monkeypatch):
    _provider.person = Person()
    for name, path in (
        ("authorize_url", "/login/oauth/authorize"),
        ("access_token_url", "/login/oauth/access_token"),
    ):
        monkeypatch.setattr(GitHubOAuth2Adapter, name, _provider.url + path)
        monkeypatch.setattr(GoogleOAuth2Adapter, name, _provider.url + path)
    monkeypatch.setattr(GitHubOAuth2Adapter, "profile_url", f"{_provider.url}/api/v3/user")
    monkeypatch.setattr(GitHubOAuth2Adapter, "emails_url", f"{_provider.url}/api/v3/user/emails")
    return _provider


def callback_of(client, name, *, word="Allow", process="login"):
    """Press the button, and then a word on the provider's page; returns where that leads."""
    begun = client.post(f"/accounts/{name}/login/?process={process}")
    page = httpx.get(begun.url, trust_env=False).text
    return unescape(re.search(rf'<a href="([^"]*)">{word}</a>', page)[1])


def sign_in_with(client, name, **options):
    return client.get(callback_of(client, name, **options).removeprefix("http://testserver"))


def is_signed_in(client):
    return client.get("/workspace/").status_code == 200


@BOTH
def test_the_button_is_a_form_that_leads_to_the_provider(client, name):
    page = client.get("/accounts/login/").text

    assert f'action="/accounts/{name}/login/?process=login' in page


def test_there_is_no_button_where_none_is_set_up(client, settings):
    settings.SOCIALACCOUNT_PROVIDERS = {}

    assert "Continue with" not in client.get("/accounts/login/").text
    assert "Continue with" not in client.get("/accounts/signup/").text


@pytest.mark.process
@pytest.mark.parametrize("name", ["GITHUB_CLIENT_ID", "GOOGLE_CLIENT_SECRET"])
def test_half_of_a_set_up_stops_the_start_and_names_the_rest(name):
    environ = {"DEBUG": "1", name: "set", "PATH": ""}
    command = [sys.executable, "manage.py", "check"]

    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True)

    assert done.returncode != 0
    assert f"Set both {name.partition('_')[0]}_CLIENT_ID" in done.stderr


@BOTH
def test_a_new_person_has_an_account_and_a_sandbox(client, provider, name):
    response = sign_in_with(client, name)

    user = User.objects.get()
    assert response.url == "/workspace/"
    assert user.email == "alice@example.com"
    assert not user.has_usable_password()
    assert EmailAddress.objects.get().verified
    assert Sandbox.objects.get().owner == user


@BOTH
def test_the_next_time_it_is_the_same_person(client, provider, name):
    sign_in_with(client, name)
    client.post("/accounts/logout/")
    provider.person = Person(email="renamed@example.com")

    sign_in_with(client, name)

    assert is_signed_in(client)
    assert User.objects.count() == Sandbox.objects.count() == 1


@BOTH
def test_who_has_confirmed_the_same_address_is_signed_in_to_their_account(
    client, alice, provider, name
):
    confirm_email(alice)

    sign_in_with(client, name)

    assert is_signed_in(client)
    assert SocialAccount.objects.get().user == alice
    assert User.objects.get().has_usable_password()


@BOTH
def test_nobody_takes_an_account_over_with_an_address_that_the_provider_did_not_check(
    client, alice, provider, name
):
    confirm_email(alice)
    provider.person = Person(verified=False)

    sign_in_with(client, name)

    assert not is_signed_in(client)
    assert not SocialAccount.objects.exists()


@BOTH
@pytest.mark.parametrize("has_row", [True, False])
def test_who_lies_in_wait_with_an_address_loses_the_account_to_its_owner(
    client, alice, provider, name, has_row
):
    if has_row:
        EmailAddress.objects.create(user=alice, email=alice.email, primary=True)
    SocialAccount.objects.create(user=alice, provider=name, uid="99")
    waiting = Client()
    waiting.force_login(alice)

    sign_in_with(client, name)

    page = client.get("/account/")
    assert page.status_code == 200
    assert "These were removed, because they were set up before" in page.text
    assert not is_signed_in(waiting)
    assert not User.objects.get().has_usable_password()
    assert EmailAddress.objects.get().verified
    assert SocialAccount.objects.get().uid == "4711"


@BOTH
def test_a_second_factor_is_asked_for_all_the_same(client, alice, provider, name):
    give_totp(alice)

    response = sign_in_with(client, name)

    assert response.url == "/accounts/2fa/authenticate/"
    assert not is_signed_in(client)
    client.post(response.url, {"code": code_of(SECRET)})
    assert is_signed_in(client)


@BOTH
def test_who_refuses_is_told_so(client, provider, name):
    response = sign_in_with(client, name, word="Refuse")

    assert response.url == "/accounts/3rdparty/login/cancelled/"
    assert not User.objects.exists()


@BOTH
def test_an_answer_that_another_browser_asked_for_signs_nobody_in(client, provider, name):
    callback = callback_of(client, name).removeprefix("http://testserver")
    other = Client()

    other.get(callback)

    assert not is_signed_in(other)
    assert not User.objects.exists()


@BOTH
def test_looking_at_the_address_of_the_button_begins_nothing(client, name):
    response = client.get(f"/accounts/{name}/login/")

    assert response.status_code == 200
    assert "Continue" in response.text


@BOTH
def test_connecting_one_asks_for_the_password_and_does_not_change_who_one_is(
    client, alice, provider, name
):
    provider.person = Person(email="elsewhere@example.com")
    client.force_login(alice)

    response = sign_in_with(client, name, process="connect")
    assert response.url == "/accounts/reauthenticate/"
    assert not SocialAccount.objects.exists()
    reauthenticate(client)

    assert SocialAccount.objects.get().user == alice
    assert User.objects.get().email == "alice@example.com"


def test_one_that_is_somebody_elses_is_not_connected(client, alice, bob, provider):
    SocialAccount.objects.create(user=bob, provider="github", uid="4711")
    client.force_login(alice)
    reauthenticate(client)

    sign_in_with(client, "github", process="connect")

    assert SocialAccount.objects.get().user == bob


def test_the_only_way_to_sign_in_cannot_be_disconnected(client, provider):
    sign_in_with(client, "github")
    account = SocialAccount.objects.get()

    client.post("/accounts/3rdparty/", {"account": account.pk})

    assert SocialAccount.objects.exists()


@BOTH
def test_its_session_is_in_the_list(client, provider, name):
    sign_in_with(client, name)

    assert UserSession.objects.get().user == User.objects.get()


@BOTH
def test_no_token_of_a_provider_is_kept(client, provider, name):
    sign_in_with(client, name)

    kept = str(SocialAccount.objects.values()) + str(dict(client.session))
    assert "token-of-the-fake" not in kept


@pytest.mark.process
def test_without_variables_there_are_no_routes_either():
    environ = {"DEBUG": "1", "PATH": "", "LOG_LEVEL": "ERROR"}
    asked = "from django.urls import get_resolver as r; print(r().reverse_dict.keys())"
    command = [sys.executable, "manage.py", "shell", "-c", asked]

    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    )

    assert "account_login" in done.stdout
    assert "github" not in done.stdout
    assert "google" not in done.stdout
