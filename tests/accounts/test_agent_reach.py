"""An agent's token is good for /mcp alone: everywhere else its bearer is a stranger."""

import httpx
import pytest
from allauth.idp.oidc.models import Token
from django.test import Client

from accounts.models import AgentPassport, AgentSecret, ConnectedAgent, PersonalToken
from manta.asgi import application
from sandboxes import mcp
from sandboxes.models import Sandbox, SandboxEvent
from tests.accounts.an_agent import Agent
from tests.accounts.test_scopes import BESIDES, CLOSED, METHODS, bearing
from tests.factories import SandboxFactory
from tests.test_routes import BESIDE, OPEN_BESIDE

ELSEWHERE = [route for route in BESIDE if route not in {*OPEN_BESIDE, mcp.PATH}]


@pytest.fixture
def raw(admin_user):
    """The token of an administrator's agent, who has a sandbox."""
    SandboxFactory(owner=admin_user)
    return Agent().sign_in(admin_user)["access_token"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("route", CLOSED)
def test_to_the_api_it_is_unknown(raw, route, method):
    response = bearing(raw).generic(method, f"/{route}", "{}", content_type="application/json")

    assert response.status_code == 401
    assert 'error="invalid_token"' in response["WWW-Authenticate"]
    assert Sandbox.objects.filter(phase="ready", next_attempt_at=None)
    assert not SandboxEvent.objects.exists()


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("route", BESIDES)
def test_to_every_page_it_is_a_stranger(raw, route, method):
    before = rows()

    response = getattr(bearing(raw), method)(f"/{route}")

    as_stranger = getattr(Client(enforce_csrf_checks=True), method)(f"/{route}")
    assert response.status_code in (as_stranger.status_code, 401)
    assert response.headers.get("Location") in (as_stranger.headers.get("Location"), None)
    assert "admin@example.com" not in response.text
    assert rows() == before


def rows():
    """All that a page could make, change or take away."""
    kinds = (PersonalToken, ConnectedAgent, AgentSecret, Token, AgentPassport, Sandbox)
    return [list(kind.objects.values()) for kind in kinds]


@pytest.mark.parametrize("route", ELSEWHERE)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_to_every_route_beside_django_it_is_unknown(db, method, route):
    raw = "x" * 86
    transport = httpx.ASGITransport(application)

    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as program:
        headers = {"Authorization": f"Bearer {raw}"}
        response = await program.request(method, route, headers=headers)

    assert response.status_code in (401, 405)
