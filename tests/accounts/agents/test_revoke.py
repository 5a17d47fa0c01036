"""An agent ends: at its person's word, at its own, or with its person."""

import pytest
from allauth.idp.oidc.models import Token
from django.utils import timezone

from accounts import tokens
from accounts.models import AgentSecret, ConnectedAgent, User
from accounts.oauth import agents
from tests.support.oauth_client import Agent, ends_soon, good


@pytest.mark.parametrize(
    "out",
    [
        lambda: User.objects.update(is_active=False),
        lambda: User.objects.all().delete(),
        lambda: ConnectedAgent.objects.update(revoked_at=timezone.now()),
        lambda: agents.revoke(ConnectedAgent.objects.get()),
    ],
)
def test_whatever_ends_an_agent_ends_it_at_once(agent, alice, out):
    given = agent.sign_in(alice)
    key = good(given["access_token"]).key

    out()

    assert good(given["access_token"]) is None
    assert agent.refresh(given["refresh_token"]).status_code == 400
    assert tokens.still_valid({key}) == set()


def test_a_revoked_one_does_not_come_back_by_a_code_from_before(agent, alice):
    agent.sign_in(alice)
    code = agent.code(alice)

    agents.revoke(ConnectedAgent.objects.get())

    assert agent.exchange(code).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
@pytest.mark.parametrize("hint", [None, "access_token", "refresh_token", "x"])
def test_a_client_signs_out_with_either(agent, alice, which, hint):
    given = agent.sign_in(alice)
    sent = {"token": given[which], "client_id": agent.client_id}

    response = agent.http.post("/oauth/revoke", sent | ({"token_type_hint": hint} if hint else {}))

    assert response.status_code == 200
    assert good(given["access_token"]) is None
    assert agent.refresh(given["refresh_token"]).status_code == 400
    assert not ConnectedAgent.objects.for_user(alice).exists()


@pytest.mark.parametrize("token", ["x", "x" * 86])
def test_to_revoke_what_there_is_not_is_no_mistake(agent, token):
    response = agent.http.post("/oauth/revoke", {"token": token, "client_id": agent.client_id})

    assert response.status_code == 200


def test_no_client_signs_out_another(agent, alice):
    given = agent.sign_in(alice)
    other = Agent()

    other.http.post("/oauth/revoke", {"token": given["access_token"], "client_id": other.client_id})

    assert good(given["access_token"])


def test_what_has_ended_is_forgotten(agent, alice):
    agent.sign_in(alice)
    ends_soon(kind="code")

    agents.forget_old()

    assert set(AgentSecret.objects.values_list("kind", flat=True)) == {"refresh"}
    assert set(Token.objects.values_list("type", flat=True)) == {"at", "rt"}

    ends_soon(kind="access")
    agents.forget_old()

    assert set(Token.objects.values_list("type", flat=True)) == {"rt"}
