"""The first proof of an address ends what was set up for the account before it."""

import re

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from allauth.socialaccount.models import SocialAccount
from django.core import mail
from django.test import Client

from accounts.models import ConnectedAgent, Scope, User
from accounts.tokens import verify
from tests.support.factories import PASSWORD, make_token
from tests.support.oauth_client import Agent, good
from tests.support.second_factors import SECRET, confirm_email, reauthenticate, sign_in

NEW = "an entirely new one"
CAROL = "carol@example.com"

pytestmark = pytest.mark.django_db(transaction=True)


class Squatter:
    """A person who signed up with Carol's address, and has every kind of access to the account."""

    def __init__(self):
        self.browser = Client()
        self.browser.post("/accounts/signup/", {"email": CAROL, "password1": PASSWORD})
        self.user = User.objects.get(email=CAROL)
        self.confirmation = mail.outbox[-1]
        self.token = make_token(self.user, Scope.SANDBOX_READ)
        self.agent = Agent().sign_in(self.user)["access_token"]
        TOTP.activate(self.user, SECRET)
        SocialAccount.objects.create(user=self.user, provider="github", uid="99")

    def still_has(self):
        ways = {
            "session": self.browser.get("/account/").status_code == 200,
            "password": sign_in(Client(), self.user).status_code == 302,
            "token": verify(self.token) is not None,
            "agent": good(self.agent) is not None,
            "second factor": Authenticator.objects.exists(),
            "provider": SocialAccount.objects.filter(uid="99").exists(),
        }
        return {name for name, there in ways.items() if there}


@pytest.fixture
def squatter(db):
    return Squatter()


def link_in(message, path):
    link = next(word for word in message.body.split() if path in word)
    return link[link.index("/accounts/") :]


def by_code(visitor):
    visitor.post("/accounts/login/code/", {"email": CAROL})
    code = re.search(r"^([A-Z0-9]{3,}-?[A-Z0-9]{3,})\s*$", mail.outbox[-1].body, re.MULTILINE)
    return visitor.post("/accounts/login/code/confirm/", {"code": code[1]}, follow=True)


def by_link(visitor, squatter):
    return visitor.post(link_in(squatter.confirmation, "/confirm-email/"), follow=True)


def by_reset(visitor, **fields):
    visitor.post("/accounts/password/reset/", {"email": CAROL})
    form = visitor.get(link_in(mail.outbox[-1], "/password/reset/key/"), follow=True)
    passwords = {"password1": NEW, "password2": NEW}
    return visitor.post(form.request["PATH_INFO"], passwords | fields, follow=True)


def test_the_squatter_has_every_way_in(squatter):
    assert squatter.still_has() == {
        "session",
        "password",
        "token",
        "agent",
        "second factor",
        "provider",
    }


def test_a_code_ends_what_was_there_before(squatter):
    visitor = Client()

    page = by_code(visitor)

    assert squatter.still_has() == set()
    assert visitor.get("/account/").status_code == 200
    assert "the password" in page.text
    assert "1 personal token" in page.text
    assert "reset the sandbox" in page.text


def test_a_link_ends_what_was_there_before(squatter):
    page = by_link(Client(), squatter)

    assert squatter.still_has() == set()
    assert "the password" in page.text


def test_a_reset_ends_what_was_there_before_but_the_new_password(squatter):
    page = by_reset(Client())

    assert squatter.still_has() == set()
    assert EmailAddress.objects.get(user=squatter.user).verified
    assert sign_in(Client(), squatter.user, NEW).url == "/workspace/"
    assert "1 connected agent" in page.text


def test_who_confirms_where_they_signed_up_keeps_that_session_and_the_password(squatter):
    other = Client()
    Authenticator.objects.all().delete()
    sign_in(other, squatter.user)

    page = by_link(squatter.browser, squatter)

    assert squatter.still_has() == {"session", "password"}
    assert other.get("/account/").status_code == 302
    assert "other signed-in browser" in page.text


def test_a_sign_up_and_its_link_in_one_browser_ends_nothing_and_says_nothing(client, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    client.post("/accounts/signup/", {"email": CAROL, "password1": PASSWORD})

    page = client.post(link_in(mail.outbox[-1], "/confirm-email/"), follow=True)

    assert "Ended" not in page.text
    assert sign_in(Client(), User.objects.get()).url == "/workspace/"


def test_a_code_asked_for_where_nobody_typed_the_password_ends_it(client, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    Client().post("/accounts/signup/", {"email": CAROL, "password1": PASSWORD})

    by_code(client)

    assert not User.objects.get().has_usable_password()


def test_the_second_proof_ends_nothing(alice):
    confirm_email(alice)
    token = make_token(alice, Scope.SANDBOX_READ)
    browser = Client()
    sign_in(browser, alice)
    reauthenticate(browser)
    browser.post("/accounts/email/", {"email": CAROL, "action_add": ""})

    Client().post(link_in(mail.outbox[-1], "/confirm-email/"))

    assert User.objects.get().email == CAROL
    assert verify(token)
    assert browser.get("/account/").status_code == 200


@pytest.fixture
def with_programs(alice):
    confirm_email(alice)
    make_token(alice, Scope.SANDBOX_READ)
    Agent().sign_in(alice)
    browser = Client()
    sign_in(browser, alice)
    return browser


def programs(user):
    return (
        user.personal_tokens.for_user(user).count(),
        ConnectedAgent.objects.for_user(user).count(),
    )


TICKED = pytest.mark.parametrize(
    ("fields", "left"), [({"end_programs": "on"}, (0, 0)), ({}, (1, 1))]
)


@TICKED
def test_a_changed_password_ends_tokens_and_agents_when_ticked(with_programs, alice, fields, left):
    path = "/accounts/password/change/"
    assert ticked(with_programs.get(path).text)

    passwords = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    with_programs.post(path, passwords | fields)

    assert User.objects.get().check_password(NEW)
    assert programs(alice) == left


@TICKED
def test_a_reset_ends_tokens_and_agents_when_ticked(with_programs, alice, fields, left):
    with_programs.post("/accounts/password/reset/", {"email": alice.email})
    form = with_programs.get(link_in(mail.outbox[-1], "/password/reset/key/"), follow=True)
    assert ticked(form.text)

    passwords = {"password1": NEW, "password2": NEW}
    with_programs.post(form.request["PATH_INFO"], passwords | fields)

    assert User.objects.get().check_password(NEW)
    assert programs(alice) == left


@TICKED
def test_a_first_password_ends_tokens_and_agents_when_ticked(with_programs, alice, fields, left):
    alice.set_unusable_password()
    alice.save()
    with_programs.force_login(alice)
    assert ticked(with_programs.get("/accounts/password/set/").text)

    with_programs.post("/accounts/password/set/", {"password1": NEW, "password2": NEW} | fields)

    assert User.objects.get().check_password(NEW)
    assert programs(alice) == left


@TICKED
def test_signing_out_everywhere_ends_tokens_and_agents_when_ticked(
    with_programs, alice, fields, left
):
    assert ticked(with_programs.get("/account/sessions/").text)

    with_programs.post("/account/sessions/elsewhere/end/", fields)

    assert programs(alice) == left
    assert with_programs.get("/account/").status_code == 200


def ticked(page):
    (box,) = re.findall(r'<input type="checkbox" name="end_programs"[^>]*>', page)
    return " checked" in box
