"""New tokens for old ones, each once."""

import pytest

from accounts.models import ConnectedAgent
from tests.accounts.an_agent import Agent, ends_soon, good


def test_a_refresh_gives_a_new_pair(agent, alice):
    first = agent.sign_in(alice)

    second = agent.refresh(first["refresh_token"]).json()
    third = agent.refresh(second["refresh_token"]).json()

    assert len({pair["refresh_token"] for pair in (first, second, third)}) == 3
    assert good(third["access_token"]).key == good(first["access_token"]).key


@pytest.mark.parametrize("scope", [None, "mcp", "mcp offline_access"])
def test_whatever_scope_it_asks_for_it_can_refresh(agent, alice, scope):
    given = agent.exchange(agent.code(alice, scope=scope)).json()

    assert agent.refresh(given["refresh_token"], scope=scope).status_code == 200


def test_a_refresh_token_that_is_shown_again_ends_the_chain(agent, alice):
    first = agent.sign_in(alice)
    second = agent.refresh(first["refresh_token"]).json()

    stolen = agent.refresh(first["refresh_token"])

    assert stolen.json()["error"] == "invalid_grant"
    assert good(second["access_token"]) is None
    assert agent.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
    assert not ConnectedAgent.objects.of(alice).exists()


@pytest.mark.parametrize("wrong", [{"resource": None}, {"resource": "https://evil.example/mcp"}])
def test_a_refresh_names_the_resource_too(agent, alice, wrong):
    given = agent.sign_in(alice)

    assert agent.refresh(given["refresh_token"], **wrong).json()["error"] == "invalid_target"
    assert agent.refresh(given["refresh_token"]).status_code == 200


def test_a_refresh_token_is_for_its_client(agent, alice):
    given = agent.sign_in(alice)

    assert Agent().refresh(given["refresh_token"]).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_what_has_expired_is_refused(agent, alice, kind):
    given = agent.sign_in(alice)

    ends_soon(kind=kind)

    assert (good(given["access_token"]) is None) == (kind == "access")
    assert (agent.refresh(given["refresh_token"]).status_code == 400) == (kind == "refresh")
