"""A code for tokens: once, within a minute, and only for the client that asked."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from allauth.idp.oidc.models import Token
from django.db import connection
from django.utils import timezone

from accounts.models import AgentSecret, ConnectedAgent
from tests.support.factories import UserFactory
from tests.support.oauth_client import Agent, ends_soon, good


def test_another_port_on_this_machine_is_good(alice):
    agent = Agent(redirect="http://localhost/callback")
    agent.redirect = "http://localhost:51234/callback"

    assert good(agent.sign_in(alice)["access_token"])


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_request"),
        ({"redirect_uri": "http://127.0.0.1:1/callback"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"resource": None}, "invalid_target"),
        ({"resource": "http://localhost:8000/api"}, "invalid_target"),
    ],
)
def test_a_code_has_one_try(agent, alice, wrong, error):
    code = agent.code(alice)

    refused, then = agent.exchange(code, **wrong), agent.exchange(code)

    assert (refused.status_code, refused.json()["error"]) == (400, error)
    assert then.json()["error"] == "invalid_grant"
    assert not Token.objects.exists()


def test_a_code_that_is_shown_again_ends_what_came_of_it(agent, alice):
    code = agent.code(alice)
    given = agent.exchange(code).json()

    again = agent.exchange(code)

    assert again.json()["error"] == "invalid_grant"
    assert good(given["access_token"]) is None
    assert agent.refresh(given["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_code_is_for_the_client_that_asked(agent, alice):
    code = agent.code(alice)

    assert Agent().exchange(code).json()["error"] == "invalid_grant"


def test_a_code_lasts_a_minute(agent, alice):
    code = agent.code(alice)
    assert AgentSecret.objects.get().expires_at <= timezone.now() + timedelta(minutes=1)

    ends_soon(kind="code")

    assert agent.exchange(code).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"grant_type": "password", "username": "alice@example.com", "password": "x"},
        {"grant_type": "client_credentials"},
        {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": "x"},
        {"grant_type": "authorization_code"},
        {"grant_type": "authorization_code", "code": "\x00"},
        {"grant_type": "refresh_token"},
        {"grant_type": "refresh_token", "refresh_token": "x" * 200_000},
        {"grant_type": "refresh_token", "refresh_token": "x", "client_id": "\x00"},
    ],
)
def test_there_are_two_grants_and_no_third(agent, fields):
    assert agent.token(**fields).status_code in (400, 401)


def test_a_token_in_the_address_is_refused(agent, alice):
    response = agent.http.post("/oauth/token?code=x", {"grant_type": "authorization_code"})

    assert response.json()["error"] == "invalid_request"


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_is_served():
    agent, user = Agent(), UserFactory()
    code = agent.code(user)

    def show(_):
        answer = agent.exchange(code)
        connection.close()
        return answer.status_code

    with ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(show, range(6)))

    assert statuses.count(200) <= 1
    assert not AgentSecret.objects.filter(kind="refresh", spent_at=None).exists()
    assert not ConnectedAgent.objects.for_user(user).exists()
