"""What a token may do, for every route, method and scope: taken from the resolver."""

import httpx
import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver
from rest_framework.views import APIView

from accounts.models import PersonalToken, Scope, User
from accounts.permissions import required_scope
from manta.asgi import application
from sandboxes import live
from sandboxes.models import Sandbox, SandboxEvent
from tests.factories import SandboxFactory, make_token
from tests.test_routes import OPEN, ROUTES, _concrete

METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
UNAUTHORIZED = {"error": "Unauthorized"}


def api_views(resolver, prefix=""):
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        if not isinstance(pattern, URLPattern):
            yield from api_views(pattern, route)
        elif issubclass(getattr(pattern.callback, "cls", object), APIView):
            yield _concrete(route), pattern.callback.cls


VIEWS = dict(api_views(get_resolver()))
CLOSED = sorted(set(VIEWS) - OPEN)
BESIDES = [route for route in ROUTES if route not in CLOSED]
SCOPES = [(), *[(scope.value,) for scope in Scope], tuple(Scope.values)]


def bearing(raw, **more):
    """A program: no cookie, nothing but its token."""
    return Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {raw}"}, **more)


def refused(response):
    return response.status_code == 403 and response.json()["code"] in (
        "insufficient_scope",
        "permission_denied",
    )


def test_the_views_are_found():
    assert {"api/sandbox", "api/sandbox/init", "api/sandbox/events"} <= set(CLOSED)


@pytest.mark.parametrize("route", CLOSED)
def test_every_method_of_the_api_names_its_scope(route):
    view = VIEWS[route]()
    methods = set(view.allowed_methods) - {"OPTIONS"}

    needed = {method: required_scope(view, method) for method in methods}

    assert methods
    assert all(scope in Scope for scope in needed.values())
    assert all(not scope.endswith(":read") for m, scope in needed.items() if m != "GET")


@pytest.mark.parametrize("scopes", SCOPES, ids=lambda scopes: "+".join(scopes) or "none")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("route", CLOSED)
def test_a_token_may_do_what_its_scopes_name_and_no_more(alices_sandbox, route, method, scopes):
    program = bearing(make_token(alices_sandbox.owner, *scopes))
    view = VIEWS[route]()

    response = program.generic(method, f"/{route}", "{}", content_type="application/json")

    exists = ("GET" if method == "HEAD" else method) in view.allowed_methods
    allowed = required_scope(view, method) in scopes
    assert (response.status_code == 405) == (not exists)
    assert (response.status_code == 403) == (exists and not allowed)
    assert allowed or Sandbox.objects.filter(pk=alices_sandbox.pk, next_attempt_at=None)


def test_what_is_missing_is_named(alices_sandbox):
    response = bearing(make_token(alices_sandbox.owner, "sandbox:read")).post(
        "/api/sandbox/restart"
    )

    assert response.status_code == 403
    assert response.json() == {
        "error": "This token does not have the scope sandbox:write, which this needs.",
        "code": "insufficient_scope",
        "help": "http://testserver/help/errors/#insufficient_scope",
    }
    assert (
        response["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="sandbox:write"'
    )


def test_a_view_that_names_no_scope_is_closed_to_tokens(alices_sandbox, monkeypatch):
    monkeypatch.setattr(VIEWS["api/sandbox"], "scopes", {})
    program = bearing(make_token(alices_sandbox.owner, *Scope.values))

    assert program.get("/api/sandbox").status_code == 403


@pytest.mark.parametrize("route", BESIDES)
@pytest.mark.parametrize("method", ["get", "post"])
def test_anywhere_else_a_token_gets_what_a_stranger_gets(admin_user, route, method):
    SandboxFactory(owner=admin_user)
    program = bearing(make_token(admin_user, *Scope.values))

    tokens_answer = getattr(program, method)(f"/{route}")
    strangers = getattr(Client(enforce_csrf_checks=True), method)(f"/{route}")

    assert tokens_answer.status_code == strangers.status_code
    assert tokens_answer.get("Location") == strangers.get("Location")
    assert admin_user.email not in tokens_answer.text
    assert PersonalToken.objects.count() == 1


@pytest.mark.parametrize("route", CLOSED)
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_bobs_token_gets_nothing_of_alices(alices_sandbox, bob, route, method):
    program = bearing(make_token(bob, *Scope.values))

    response = getattr(program, method)(
        f"/{route}", {"confirm": alices_sandbox.name}, content_type="application/json"
    )

    assert alices_sandbox.name not in response.text
    assert not SandboxEvent.objects.filter(sandbox_name=alices_sandbox.name).exists()
    assert Sandbox.objects.filter(pk=alices_sandbox.pk, phase="ready", next_attempt_at=None)


@pytest.mark.parametrize("route", CLOSED)
@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "bearer x", "BEARER manta_pat_x", "Bearer é", "Bearer a b"]
)
def test_who_sends_a_wrong_token_is_nobody_whatever_their_cookies(
    client, alices_sandbox, route, header
):
    client.force_login(alices_sandbox.owner)

    response = client.get(f"/{route}", headers={"Authorization": header.encode().decode("latin-1")})

    assert response.status_code == 401
    assert response.json() == UNAUTHORIZED
    assert response["WWW-Authenticate"] == 'Bearer realm="Manta", error="invalid_token"'


def test_a_token_acts_for_its_user_whoever_else_the_cookies_are(client, alices_sandbox, bob):
    client.force_login(bob)
    raw = make_token(alices_sandbox.owner, "sandbox:read")

    response = client.get("/api/sandbox", headers={"Authorization": f"Bearer {raw}"})

    assert response.json()["sandbox"]["sandboxId"] == alices_sandbox.name


def test_a_token_leaves_no_session_behind(alices_sandbox):
    response = bearing(make_token(alices_sandbox.owner, "sandbox:read")).get("/api/sandbox")

    assert response.status_code == 200
    assert not response.cookies


def test_a_token_needs_no_csrf_cookie_and_a_session_does(alices_sandbox):
    with_session = Client(enforce_csrf_checks=True)
    with_session.force_login(alices_sandbox.owner)
    program = bearing(make_token(alices_sandbox.owner, "sandbox:write"))

    assert with_session.post("/api/sandbox/restart").status_code == 403
    assert program.post("/api/sandbox/restart").status_code == 202


def test_a_stranger_is_told_that_a_token_would_do(client, db):
    response = client.get("/api/sandbox")

    assert response.status_code == 401
    assert response.json() == UNAUTHORIZED
    assert response["WWW-Authenticate"] == 'Bearer realm="Manta"'


@pytest.mark.parametrize(
    "out",
    [
        lambda: User.objects.update(is_active=False),
        lambda: PersonalToken.objects.update(revoked_at="2026-01-01T00:00:00Z"),
        lambda: User.objects.all().delete(),
    ],
)
def test_whatever_ends_a_token_ends_it_by_the_next_request(alices_sandbox, out):
    program = bearing(make_token(alices_sandbox.owner, "sandbox:read"))
    assert program.get("/api/sandbox").status_code == 200

    out()

    assert program.get("/api/sandbox").status_code == 401


def test_an_admins_token_is_no_way_into_the_admin_before_or_after_they_are_one(admin_user):
    program = bearing(make_token(admin_user, *Scope.values))
    before = program.get("/admin/")

    User.objects.update(is_staff=False, is_superuser=False)

    assert before.status_code == program.get("/admin/").status_code == 302


def test_the_apis_description_names_the_scope_of_each_operation(client, db):
    described = client.get("/api/schema?format=json").json()

    scheme = described["components"]["securitySchemes"]["personalToken"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    assert all(scope in scheme["description"] for scope in Scope.values)
    assert "`sandbox:write`" in described["paths"]["/api/sandbox/restart"]["post"]["description"]
    assert {"personalToken": []} in described["paths"]["/api/sandbox"]["get"]["security"]


@pytest.fixture
def alices_header(alice):
    return {"Authorization": f"Bearer {make_token(alice, *Scope.values)}"}


async def test_a_stream_is_for_sessions_alone(alices_header):
    transport = httpx.ASGITransport(application)

    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as program:
        response = await program.get(live.PATH, headers=alices_header)

    assert response.status_code == 401
    assert response.json() == UNAUTHORIZED
