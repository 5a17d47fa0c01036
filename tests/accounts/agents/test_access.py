"""The reach of an access token, and what is refused as one."""

from datetime import timedelta

import pytest
from allauth.idp.oidc.models import Token
from django.utils import timezone

from accounts import tokens
from accounts.models import AgentSecret, ConnectedAgent
from accounts.oauth import agents
from tests.support.oauth_client import good

MCP_URL = "http://localhost:8000/mcp"


def test_what_is_granted(agent, alice):
    given = agent.sign_in(alice)

    grant = good(given["access_token"])
    assert (grant.user, grant.name, grant.kind) == (alice, "Cursor", "agent")
    assert grant.scopes == {"mcp"}
    assert (given["token_type"], given["expires_in"], given["scope"]) == ("Bearer", 3600, "mcp")
    lives = ConnectedAgent.objects.get().expires_at - timezone.now()
    assert timedelta(days=29, hours=23) < lives <= timedelta(days=30)


def test_its_key_stays_for_good(agent, alice, bob):
    first = good(agent.sign_in(alice)["access_token"]).key
    agents.revoke(ConnectedAgent.objects.get())

    again = good(agent.sign_in(alice)["access_token"]).key
    bobs = good(agent.sign_in(bob)["access_token"]).key

    assert first == again != bobs
    assert tokens.still_valid({first, bobs, "agent-of-nobody"}) == {first, bobs}


def test_only_hashes_are_stored(agent, alice):
    code = agent.code(alice)
    given = agent.exchange(code).json()

    stored = str([list(rows.objects.values()) for rows in (AgentSecret, ConnectedAgent, Token)])

    assert not any(s in stored for s in (code, given["access_token"], given["refresh_token"]))


@pytest.mark.parametrize(
    "audience", [None, "", "http://localhost:8000/api", "http://localhost:8000"]
)
def test_it_is_good_for_mcp_and_for_nothing_else(agent, alice, audience):
    raw = agent.sign_in(alice)["access_token"]

    assert tokens.verify(raw, audience=audience) is None


@pytest.mark.parametrize("data", [None, {}, {"resources": []}, {"resources": ["x", MCP_URL]}])
def test_one_that_names_no_resource_or_two_is_good_for_none(agent, alice, data):
    raw = agent.sign_in(alice)["access_token"]

    Token.objects.update(data=data)

    assert good(raw) is None


def test_another_address_of_manta_ends_what_was_for_the_old_one(agent, alice, settings):
    raw = agent.sign_in(alice)["access_token"]

    assert tokens.verify(raw, audience="https://manta.example/mcp") is None


@pytest.mark.parametrize("kind", ["refresh_token", "code"])
def test_nothing_but_an_access_token_is_one(agent, alice, kind):
    code = agent.code(alice)
    given = {"code": code, **agent.exchange(code).json()}

    assert good(given[kind]) is None


def test_another_password_ends_none_as_it_ends_no_token(agent, alice):
    given = agent.sign_in(alice)

    alice.set_password("another horse battery")
    alice.save()

    assert good(given["access_token"])


def test_a_check_is_two_queries_with_its_permissions(agent, alice, django_assert_num_queries):
    raw = agent.sign_in(alice)["access_token"]
    good(raw)

    with django_assert_num_queries(2):
        assert str(good(raw).user) == "alice@example.com"
    assert ConnectedAgent.objects.get().last_used_at
