"""The permissions of a connection: chosen with its token, and changed afterwards."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from accounts import agent_permissions, tokens
from accounts.agent_permissions import Permissions
from accounts.models import AgentPermissions, PersonalToken
from tests.support.factories import PASSWORD, make_token
from tests.support.oauth_client import Agent, shown

NEW = "/account/tokens/new/"


@pytest.fixture
def person(client, alice):
    client.force_login(alice)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


@pytest.fixture
def token(alice):
    make_token(alice, "mcp", name="Laptop")
    return PersonalToken.objects.get()


def page(token):
    return f"/account/agents/{token.key}/permissions/"


def make(person, **fields):
    key = re.search(r'name="key" value="([0-9a-f]+)"', person.get(NEW).text)[1]
    form = {"key": key, "name": "CI", "scopes": ["mcp"], "lifetime": "30", **fields}
    return person.post(NEW, form)


def test_a_token_is_made_with_its_permissions(person):
    response = make(
        person, capabilities=["read"], path_prefix="/blaxel/app/../app//", name="Reader"
    )

    raw = re.search(r"manta_pat_[0-9a-f]{16}_[0-9a-f]{64}", response.text)[0]
    assert tokens.verify(raw, audience=settings.MCP_URL).permissions == Permissions(
        frozenset({"read"}), "/blaxel/app"
    )


def test_the_former_address_leads_to_the_page(person, token):
    response = person.get(f"/account/agents/{token.key}/passport/")

    assert (response.status_code, response.url) == (301, page(token))


def test_a_connection_without_any_may_do_everything(alice):
    assert tokens.verify(make_token(alice, "mcp"), audience=settings.MCP_URL).permissions.is_full


@pytest.mark.parametrize(
    "wrong",
    [
        {"capabilities": []},
        {"capabilities": ["fly"]},
        {"capabilities": ["read", "run"], "path_prefix": "/blaxel"},
        {"capabilities": ["read"], "path_prefix": "blaxel"},
        {"capabilities": ["read"], "path_prefix": "~/x"},
        {"capabilities": ["read"], "permissions_lifetime": "9y"},
    ],
)
def test_what_can_not_be_is_refused_on_the_form(person, token, wrong):
    assert make(person, **wrong).status_code == 422
    assert person.post(page(token), wrong).status_code == 422
    assert not AgentPermissions.objects.exists()


@pytest.mark.parametrize("form", ["of a new token", "of a connection", "of a sign-in"])
def test_the_form_says_that_writing_amounts_to_running(person, token, form):
    paths = {"of a new token": NEW, "of a connection": page(token)}
    path = paths.get(form) or Agent().address()

    text = shown(person.get(path))

    assert "Writing for the whole sandbox, or to files that a template starts, amounts to" in text
    assert "Empty for the whole sandbox, where writing amounts to running" in text


def test_its_owner_narrows_and_widens_it(person, token):
    narrow = {"capabilities": ["read"], "path_prefix": "/blaxel", "permissions_lifetime": "1h"}
    wide = {"capabilities": ["read", "write", "run", "ports"], "permissions_lifetime": ""}

    person.post(page(token), narrow)
    narrowed = agent_permissions.of(token.key)
    kept = person.post(page(token), {**narrow, "permissions_lifetime": "keep"})

    assert kept.status_code == 302
    assert narrowed.expires_at - timezone.now() <= timedelta(hours=1)
    assert agent_permissions.of(token.key) == narrowed
    person.post(page(token), wide)
    assert agent_permissions.of(token.key).is_full


def test_the_password_is_asked_for_first(client, alice, token):
    client.force_login(alice)

    assert client.get(page(token)).url.startswith("/accounts/reauthenticate/")


def test_bob_gets_404(client, bob, token):
    client.force_login(bob)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})

    assert client.get(page(token)).status_code == 404
    assert client.post(page(token), {"capabilities": ["read"]}).status_code == 404


def test_a_token_that_reaches_no_tools_has_none(person, alice):
    make_token(alice, "sandbox:read")

    assert person.get(page(PersonalToken.objects.get())).status_code == 404


@pytest.mark.parametrize(
    ("path", "covered"),
    [
        ("/blaxel/app", True),
        ("/blaxel/app/x", True),
        ("/blaxel/app//x/./y", True),
        ("/blaxel/app/../secret", False),
        ("/blaxel/application", False),
        ("/", False),
        ("/etc/passwd", False),
    ],
)
def test_a_prefix_covers_what_is_below_it(path, covered):
    assert Permissions(frozenset(), "/blaxel/app").covers(path) is covered
