"""Seeing and disconnecting the agents that one has let in."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import tokens
from accounts.models import ConnectedAgent
from tests.support.oauth_client import Agent, shown

URL = "/account/agents/"
MCP = "http://localhost:8000/mcp"


@pytest.fixture
def raw(alice):
    """The token of an agent that Alice has let in."""
    return Agent(name="Cursor & Co").sign_in(alice)["access_token"]


@pytest.fixture
def person(client, alice):
    client.force_login(alice)
    return client


def test_the_list_says_which_and_when_it_was_used(person, raw):
    before = shown(person.get(URL))
    tokens.verify(raw, audience=MCP)

    after = shown(person.get(URL))

    assert "Cursor &amp; Co" in before
    assert "never used" in before
    assert "last used" in after
    assert "Connected agents" in person.get("/account/").text


def test_one_that_has_ended_says_so(person, raw):
    ConnectedAgent.objects.update(expires_at=timezone.now() - timedelta(days=1))

    assert '<span class="badge badge-warn">ended</span>' in person.get(URL).text


def test_who_has_none_reads_what_to_do(person):
    text = person.get(URL).text

    assert "You have none." in text
    assert MCP in text


def test_one_that_never_fetched_its_tokens_is_not_there(person, alice):
    Agent().code(alice)

    assert "You have none." in person.get(URL).text


def test_revoking_one_ends_it_and_takes_it_from_the_list(person, raw):
    agent = ConnectedAgent.objects.get()
    assert "Disconnect “Cursor" in person.get(f"{URL}{agent.pk}/revoke/").text

    response = person.post(f"{URL}{agent.pk}/revoke/", follow=True)

    assert "is disconnected" in response.text
    assert f'id="agent-{agent.pk}"' not in response.text
    assert tokens.verify(raw, audience=MCP) is None
    assert person.post(f"{URL}{agent.pk}/revoke/").status_code == 404


@pytest.mark.parametrize("method", ["get", "post"])
def test_bob_gets_404_for_alices_agent(client, bob, raw, method):
    client.force_login(bob)

    response = getattr(client, method)(f"{URL}{ConnectedAgent.objects.get().pk}/revoke/")

    assert response.status_code == 404
    assert "Cursor" not in client.get(URL).text
    assert tokens.verify(raw, audience=MCP)
