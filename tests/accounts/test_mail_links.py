"""Mailed links lead to MANTA_URL, whatever address the request had."""

import re

import pytest
from django.core import mail
from django.test import Client

from accounts.models import User
from tests.support.factories import PASSWORD
from tests.support.second_factors import confirm_email, reauthenticate

pytestmark = pytest.mark.django_db(transaction=True)


def sign_up(client, alice):
    client.post("/accounts/signup/", {"email": "new@example.com", "password1": PASSWORD})


def sign_up_again(client, alice):
    client.post("/accounts/signup/", {"email": alice.email, "password1": PASSWORD})


def reset(client, alice):
    client.post("/accounts/password/reset/", {"email": alice.email})


def reset_of_nobody(client, alice):
    client.post("/accounts/password/reset/", {"email": "nobody@example.com"})


def code_of_nobody(client, alice):
    client.post("/accounts/login/code/", {"email": "nobody@example.com"})


def change_address(client, alice):
    client.force_login(alice)
    reauthenticate(client)
    client.post("/accounts/email/", {"email": "new@example.com", "action_add": ""})


def change_password(client, alice):
    client.force_login(alice)
    new = "an entirely new one"
    fields = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    client.post("/accounts/password/change/", fields)


@pytest.mark.parametrize(
    "ask",
    [
        sign_up,
        sign_up_again,
        reset,
        reset_of_nobody,
        code_of_nobody,
        change_address,
        change_password,
    ],
)
def test_every_mail_names_manta_url_and_no_other_address(alice, settings, ask):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    settings.MANTA_URL = "https://manta.example:8443"
    settings.ALLOWED_HOSTS = ["localhost"]
    confirm_email(alice)

    ask(Client(HTTP_HOST="localhost:6666"), alice)

    (message,) = mail.outbox
    assert "6666" not in message.subject + message.body
    assert "manta.example:8443" in message.body
    assert set(re.findall(r"https?://[^/\s]+", message.body)) <= {settings.MANTA_URL}
    assert User.objects.filter(pk=alice.pk).exists()
