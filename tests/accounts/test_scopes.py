"""The rights of a token on every route, by method and scope: taken from the resolver."""

import itertools

import httpx
import pytest
from django.test import Client

from accounts.models import PersonalToken, Scope, User
from accounts.permissions import required_scope
from manta.asgi import application
from sandboxes.models import Sandbox, SandboxEvent
from sandboxes.streams import paths
from tests.support.factories import SandboxFactory, make_token
from tests.support.matrix import bearing, cell, signed_in
from tests.support.routes import API, API_VIEWS, METHODS, NOT_API

UNAUTHORIZED = {"error": "Unauthorized"}
SCOPES = [(), *[(scope.value,) for scope in Scope], tuple(Scope.values)]


def test_the_views_are_found():
    assert {"api/sandbox", "api/sandbox/init", "api/sandbox/events"} <= set(API)


def test_every_method_of_the_api_names_its_scope():
    mismatches = []
    for route in API:
        view = API_VIEWS[route]()
        methods = set(view.allowed_methods) - {"OPTIONS"}
        if not methods:
            mismatches.append(f"/{route}: expected a method, got none")
        for method in methods:
            scope = required_scope(view, method)
            if scope not in Scope or (method != "GET" and scope.endswith(":read")):
                mismatches.append(f"{method} /{route}: expected a scope that fits, got {scope}")

    assert not mismatches, "\n".join(mismatches)


@pytest.mark.parametrize("route", API)
def test_a_token_may_do_what_its_scopes_name_and_no_more(alices_sandbox, route):
    raw = {scopes: make_token(alices_sandbox.owner, *scopes) for scopes in SCOPES}
    view = API_VIEWS[route]()
    mismatches = []
    for method, scopes in itertools.product(METHODS, SCOPES):
        exists = ("GET" if method == "HEAD" else method) in view.allowed_methods
        allowed = required_scope(view, method) in scopes
        refusal = 405 if not exists else None if allowed else 403
        credential = f"a token of {'+'.join(scopes) or 'no scope'}"
        with cell(mismatches, method, route, credential) as answer:
            response = bearing(raw[scopes]).generic(
                method, f"/{route}", "{}", content_type="application/json"
            )
            refused = response.status_code if response.status_code in (403, 405) else None
            answer.equal("refused with", refused, refusal)
            answer.equal("the sandbox untouched", allowed or not_asked(alices_sandbox), True)

    assert not mismatches, "\n".join(mismatches)


def not_asked(sandbox):
    return Sandbox.objects.filter(pk=sandbox.pk, next_attempt_at=None).exists()


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
    monkeypatch.setattr(API_VIEWS["api/sandbox"], "scopes", {})
    program = bearing(make_token(alices_sandbox.owner, *Scope.values))

    assert program.get("/api/sandbox").status_code == 403


def test_anywhere_else_a_token_gets_what_a_stranger_gets(admin_user):
    SandboxFactory(owner=admin_user)
    raw, mismatches = make_token(admin_user, *Scope.values), []
    for route, method in itertools.product(NOT_API, ["get", "post"]):
        with cell(mismatches, method, route, "an admin's token of every scope") as answer:
            tokens_answer = getattr(bearing(raw), method)(f"/{route}")
            strangers = getattr(Client(enforce_csrf_checks=True), method)(f"/{route}")
            answer.equal("status", tokens_answer.status_code, strangers.status_code)
            answer.equal("Location", tokens_answer.get("Location"), strangers.get("Location"))
            answer.lacks("a body", tokens_answer.text, admin_user.email)
            answer.equal("number of tokens", PersonalToken.objects.count(), 1)

    assert not mismatches, "\n".join(mismatches)


def test_bobs_token_gets_nothing_of_alices(alices_sandbox, bob, monkeypatch):
    monkeypatch.setattr("sandboxes.api.init._WAIT", 0.1)
    name, raw, mismatches = alices_sandbox.name, make_token(bob, *Scope.values), []
    for route, method in itertools.product(API, ["get", "post", "delete"]):
        with cell(mismatches, method, route, "Bob's token of every scope") as answer:
            response = getattr(bearing(raw), method)(
                f"/{route}", {"confirm": name}, content_type="application/json"
            )
            answer.lacks("a body", response.text, name)
            events = SandboxEvent.objects.filter(sandbox_name=name).count()
            answer.equal("events of Alice's sandbox", events, 0)
            ready = Sandbox.objects.filter(pk=alices_sandbox.pk, phase="ready").exists()
            answer.equal("Alice's sandbox ready", ready, True)
            answer.equal("Alice's sandbox untouched", not_asked(alices_sandbox), True)

    assert not mismatches, "\n".join(mismatches)


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "bearer x", "BEARER manta_pat_x", "Bearer é", "Bearer a b"]
)
def test_who_sends_a_wrong_token_is_nobody_whatever_their_cookies(alices_sandbox, header):
    browser, mismatches = signed_in(alices_sandbox.owner), []
    sent = {"Authorization": header.encode().decode("latin-1")}
    for route in API:
        with cell(mismatches, "GET", route, f"{header!r} and the owner's session") as answer:
            response = browser().get(f"/{route}", headers=sent)
            answer.equal("status", response.status_code, 401)
            answer.equal("body", response.json(), UNAUTHORIZED)
            challenge = response["WWW-Authenticate"]
            answer.equal("challenge", challenge, 'Bearer realm="Manta", error="invalid_token"')

    assert not mismatches, "\n".join(mismatches)


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
        response = await program.get(paths.STATUS, headers=alices_header)

    assert response.status_code == 401
    assert response.json() == UNAUTHORIZED
