"""An agent's token is good for /mcp alone: everywhere else its bearer is a stranger."""

import itertools

import httpx
import pytest
from allauth.idp.oidc.models import Token
from django.test import Client

from accounts.models import AgentPermissions, AgentSecret, ConnectedAgent, PersonalToken
from manta.asgi import application
from sandboxes.mcp.endpoint import PATH
from sandboxes.models import Sandbox, SandboxEvent
from tests.support.factories import SandboxFactory
from tests.support.matrix import bearing, cell
from tests.support.oauth_client import Agent
from tests.support.routes import API, METHODS, NOT_API, OPEN_RAW_ROUTES, RAW_ROUTES

ELSEWHERE = [route for route in RAW_ROUTES if route not in {*OPEN_RAW_ROUTES, PATH}]


@pytest.fixture
def raw(admin_user):
    """The token of an administrator's agent, who has a sandbox."""
    SandboxFactory(owner=admin_user)
    return Agent().sign_in(admin_user)["access_token"]


def test_to_the_api_it_is_unknown(raw):
    mismatches = []
    for route, method in itertools.product(API, METHODS):
        with cell(mismatches, method, route, "an agent's token") as answer:
            response = bearing(raw).generic(
                method, f"/{route}", "{}", content_type="application/json"
            )
            answer.equal("status", response.status_code, 401)
            challenge = response.get("WWW-Authenticate", "")
            answer.equal("challenge", challenge, 'Bearer realm="Manta", error="invalid_token"')
            untouched = Sandbox.objects.filter(phase="ready", next_attempt_at=None).exists()
            answer.equal("the sandbox untouched", untouched, True)
            answer.equal("events", SandboxEvent.objects.count(), 0)

    assert not mismatches, "\n".join(mismatches)


@pytest.mark.exhaustive
def test_to_every_page_it_is_a_stranger(raw):
    before, mismatches = rows(), []
    for route, method in itertools.product(NOT_API, ["get", "post"]):
        with cell(mismatches, method, route, "an agent's token") as answer:
            response = getattr(bearing(raw), method)(f"/{route}")
            as_stranger = getattr(Client(enforce_csrf_checks=True), method)(f"/{route}")
            answer.one_of("status", response.status_code, (as_stranger.status_code, 401))
            there = as_stranger.headers.get("Location")
            answer.one_of("Location", response.headers.get("Location"), (there, None))
            answer.lacks("a body", response.text, "admin@example.com")
            answer.equal("rows", rows(), before)

    assert not mismatches, "\n".join(mismatches)


def rows():
    """All that a page could make, change or take away."""
    kinds = (PersonalToken, ConnectedAgent, AgentSecret, Token, AgentPermissions, Sandbox)
    return [list(kind.objects.values()) for kind in kinds]


async def test_to_every_route_beside_django_it_is_unknown(db):
    headers = {"Authorization": f"Bearer {'x' * 86}"}
    transport, mismatches = httpx.ASGITransport(application), []
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as program:
        for method, route in itertools.product(["GET", "POST", "PUT", "DELETE"], ELSEWHERE):
            with cell(mismatches, method, route, "an agent's token", undo=False) as answer:
                response = await program.request(method, route, headers=headers)
                answer.one_of("status", response.status_code, (401, 405))

    assert not mismatches, "\n".join(mismatches)
