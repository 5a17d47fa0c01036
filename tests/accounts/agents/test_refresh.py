"""New tokens for old ones, each once, but for a client that has lost the answer."""

from datetime import timedelta

import pytest
from django.db.models import F

from accounts.models import AgentSecret, ConnectedAgent
from accounts.oauth import agents
from tests.support.factories import UserFactory
from tests.support.oauth_client import Agent, ends_soon, good
from tests.support.threads import at_once


def seconds_pass(seconds):
    earlier = F("spent_at") - timedelta(seconds=seconds)
    AgentSecret.objects.exclude(spent_at=None).update(spent_at=earlier)


def disconnected(user):
    return not ConnectedAgent.objects.for_user(user).exists()


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


def test_a_client_that_lost_the_answer_gets_the_same_again(agent, alice):
    first = agent.sign_in(alice)

    lost, again = (agent.refresh(first["refresh_token"]) for _ in range(2))

    assert again.json() == lost.json()
    assert (again.status_code, again["Content-Type"]) == (200, "application/json")
    assert "no-store" in again["Cache-Control"]
    assert good(again.json()["access_token"]).user == alice
    assert agent.refresh(again.json()["refresh_token"]).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_client_that_refreshes_twice_at_once_gets_one_answer():
    alice, agent = UserFactory(), Agent()
    first = agent.sign_in(alice)

    answers = at_once(4, lambda number: agent.refresh(first["refresh_token"]).json())

    assert answers == [answers[0]] * 4
    assert agent.refresh(answers[0]["refresh_token"]).status_code == 200


def test_a_refresh_token_that_is_shown_again_later_ends_the_chain(agent, alice):
    first = agent.sign_in(alice)
    second = agent.refresh(first["refresh_token"]).json()
    seconds_pass(11)

    stolen = agent.refresh(first["refresh_token"])

    assert stolen.json()["error"] == "invalid_grant"
    assert good(second["access_token"]) is None
    assert agent.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
    assert disconnected(alice)


def test_the_one_before_the_last_is_shown_in_vain(agent, alice):
    first = agent.sign_in(alice)
    second = agent.refresh(first["refresh_token"]).json()
    agent.refresh(second["refresh_token"])

    assert agent.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert disconnected(alice)


def test_another_client_gets_no_answer_again(agent, alice):
    first = agent.sign_in(alice)
    agent.refresh(first["refresh_token"])

    assert Agent().refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert disconnected(alice)


def test_a_revoked_agent_gets_no_answer_again(agent, alice):
    first = agent.sign_in(alice)
    agent.refresh(first["refresh_token"])

    agents.revoke(ConnectedAgent.objects.get())

    assert agent.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_code_is_never_answered_again(agent, alice):
    code = agent.code(alice)
    agent.exchange(code)

    assert agent.exchange(code).json()["error"] == "invalid_grant"
    assert disconnected(alice)


def test_an_answer_is_kept_sealed_and_forgotten(agent, alice):
    answer = agent.refresh(agent.sign_in(alice)["refresh_token"]).json()

    (kept,) = AgentSecret.objects.exclude(sealed_answer="").values_list("sealed_answer", flat=True)
    seconds_pass(11)
    agents.forget_old()

    assert answer["refresh_token"] not in kept and answer["access_token"] not in kept
    assert not AgentSecret.objects.exclude(sealed_answer="").exists()


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
