import json

import pytest
from allauth.socialaccount.models import SocialAccount

from accounts.models import AgentSecret, PersonalToken
from sandboxes.models import SandboxEvent
from tests.support.factories import SandboxFactory, make_token
from tests.support.oauth_client import Agent
from tests.support.second_factors import SECRET, give_totp, reauthenticate, sign_in

URL = "/account/data/"


def lived(user, ip):
    """A person of whom there is something in every table."""
    codes = give_totp(user)
    SocialAccount.objects.create(
        user=user, provider="github", uid=f"uid-of-{user.email}", extra_data={"login": user.email}
    )
    make_token(user, "mcp", name=f"Token of {user.email}")
    Agent(name=f"Agent of {user.email}").sign_in(user)
    sandbox = SandboxFactory(owner=user)
    SandboxEvent.objects.create(
        sandbox_name=sandbox.name, owner=user, actor=user, actor_kind="user", action="viewed", ip=ip
    )
    return codes


def agents_secrets():
    return AgentSecret.objects.values_list("digest", flat=True)


@pytest.fixture
def codes(alice, bob):
    lived(bob, "192.0.2.66")
    return lived(alice, "192.0.2.1")


@pytest.fixture
def export(client, alice, codes):
    client.force_login(alice)
    reauthenticate(client)
    return client.post(URL)


def test_it_is_a_file_with_everything_of_ones_own(export, alice):
    data = json.loads(export.content)

    assert export["Content-Disposition"] == 'attachment; filename="manta-data.json"'
    assert data["account"]["email"] == "alice@example.com"
    assert data["emailAddresses"][0]["email"] == "alice@example.com"
    assert {factor["type"] for factor in data["secondFactors"]} == {"totp", "recovery_codes"}
    assert data["connectedAccounts"][0]["uid"] == "uid-of-alice@example.com"
    assert data["sessions"][0]["ip"] == "127.0.0.1"
    assert data["personalTokens"][0]["name"] == "Token of alice@example.com"
    assert data["connectedAgents"][0]["name"] == "Agent of alice@example.com"
    assert data["sandboxes"][0]["name"] == f"user-{alice.pk}"
    assert data["activity"][0]["ip"] == "192.0.2.1"


def test_nothing_in_it_is_somebody_elses(export, bob):
    assert "bob@example.com" not in export.text
    assert f"user-{bob.pk}" not in export.text
    assert "192.0.2.66" not in export.text


def test_nothing_in_it_opens_anything(export, alice, codes, client):
    assert SECRET not in export.text
    assert PersonalToken.objects.get(user=alice).digest not in export.text
    assert not any(digest in export.text for digest in agents_secrets())
    assert not any(code in export.text for code in codes)
    assert alice.password not in export.text
    assert client.cookies["sessionid"].value not in export.text


def test_an_administrators_address_is_not_in_it(client, alice, admin_user):
    sandbox = SandboxFactory(owner=alice)
    SandboxEvent.objects.create(
        sandbox_name=sandbox.name,
        owner=alice,
        actor=admin_user,
        actor_kind="admin",
        action="viewed",
        ip="192.0.2.99",
    )
    client.force_login(alice)
    reauthenticate(client)

    assert "192.0.2.99" not in client.post(URL).text


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_password_is_asked_for_first(client, alice, method):
    client.force_login(alice)

    response = getattr(client, method)(URL)

    assert response.url.startswith("/accounts/reauthenticate/")


@pytest.mark.django_db(transaction=True)
def test_who_has_no_password_gets_it_too(client, alice):
    sign_in(client, alice)
    alice.set_unusable_password()
    alice.save()
    client.force_login(alice)

    assert client.post(URL).status_code == 200
