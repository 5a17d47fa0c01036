"""Rules that hold for every route, taken from the resolver so that a new one can't be forgotten.

One test asks one question of all of them, and shows every route that answers wrongly.
"""

import itertools
import json
import time

import pytest
from django.test import Client
from django.urls import is_valid_path

from sandboxes.models import Sandbox, SandboxEvent, Terminal
from tests.settings import CANARY_KEY
from tests.support import page_list, raw_routes
from tests.support.factories import SandboxFactory
from tests.support.matrix import cell, signed_in
from tests.support.routes import (
    CLOSED_RAW_ROUTES,
    OPEN,
    OURS,
    RAW_ROUTES,
    ROUTES,
    WITHOUT_SESSION,
)
from tests.support.web_process import cookie_of

# What a query of them may say of a sandbox.
QUERIES = {
    "/api/sandbox/files/content": ["path"],
    "/api/sandbox/files/archive": ["path"],
    "/api/sandbox/processes/logs": ["name"],
    "/ws/terminal": ["session"],
}
# Signing out is open to all, and leads to the first page of the administration.
ADMINS = [route for route in ROUTES if route.startswith("admin/") and route != "admin/logout/"]
# Where a person goes who may not see a page of the administration.
SIGN_IN = ("/admin/login/", "/accounts/login/", "")


def test_the_routes_are_found():
    assert "/live/sandbox" in RAW_ROUTES
    assert ("websocket", "/ws/terminal") in CLOSED_RAW_ROUTES
    assert {"workspace/", "sandbox/open/3000/", "api/sandbox/init", "account/delete/"} <= set(
        ROUTES
    )


def test_every_route_has_an_address_that_resolves():
    assert [route for route in ROUTES if not is_valid_path(f"/{route}")] == []


def test_a_closed_route_shows_a_stranger_nothing(alices_sandbox):
    mismatches = []
    for route in [route for route in ROUTES if route not in OPEN]:
        with cell(mismatches, "GET", route, "no credential") as answer:
            response = Client().get(f"/{route}")
            answer.one_of("status", response.status_code, (301, 302, 401, 404, 405))
            answer.lacks("a body", response.text, alices_sandbox.name)

    assert not mismatches, "\n".join(mismatches)


@pytest.mark.django_db(transaction=True)
def test_a_closed_route_beside_django_tells_a_stranger_nothing():
    mismatches = []
    cookies = ["", "sessionid=of-nobody-at-all"]
    for (kind, route), cookie in itertools.product(CLOSED_RAW_ROUTES, cookies):
        with cell(mismatches, kind, route, f"the cookie {cookie!r}", undo=False) as answer:
            told = raw_routes.ask(kind, route, {}, cookie)
            answer.equal("status", told.status, 401)
            answer.equal("body", json.loads(told.text), {"error": "Unauthorized"})

    assert not mismatches, "\n".join(mismatches)


@pytest.fixture
def alices_machine():
    with raw_routes.machine() as machine:
        yield machine


@pytest.fixture
def named_by_bob(alice, alices_machine):
    """A request that asks for all that is Alice's, by every name that it has."""
    alices = SandboxFactory(owner=alice, url=alices_machine.url)
    terminal = Terminal.objects.create(sandbox=alices, key="a-key-of-alices", name="Terminal 1")
    return {
        **dict.fromkeys(("sandbox", "sandboxId", "id", "workspace", "host"), alices.name),
        **dict.fromkeys(("user", "owner", "email"), alice.email),
        **{"url": alices.url, "session": terminal.key, "name": "starter", "path": "/blaxel/a"},
    }


@pytest.fixture
def known(named_by_bob):
    """Of that request, what a route knows."""
    return lambda route: {name: named_by_bob[name] for name in QUERIES.get(route, [])}


@pytest.mark.django_db(transaction=True)
def test_bob_reaches_nothing_of_alices_beside_django(named_by_bob, known, bob, alices_machine):
    mismatches = []
    with raw_routes.machine() as bobs_machine:
        SandboxFactory(owner=bob, url=bobs_machine.url)
        for (kind, route), method, query in itertools.product(
            CLOSED_RAW_ROUTES, ["GET", "PUT"], [lambda route: named_by_bob, known]
        ):
            with cell(mismatches, f"{kind} {method}", route, "Bob's session", undo=False) as answer:
                told = raw_routes.ask(kind, route, query(route), cookie_of(bob), method)
                answer.equal("an answer at all", bool(told.status), True)
                answer.lacks("a body", told.text, named_by_bob["sandbox"])
                answer.equal("requests to Alice's sandbox", alices_machine.asked, [])
            alices_machine.asked.clear()

    assert not mismatches, "\n".join(mismatches)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("route", "status"), [("/api/sandbox/processes/logs", 404)])
def test_whoever_asks_reaches_their_own(route, status, known, alice, alices_machine):
    answer = raw_routes.ask("http", route, known(route), cookie_of(alice))

    assert answer.status == status
    assert len(alices_machine.asked) > 0


@pytest.mark.django_db(transaction=True)
def test_an_unknown_parameter_is_named_beside_django(known, alice, alices_machine):
    mismatches = []
    # What speaks MCP is no part of the REST API.
    for kind, route in [each for each in CLOSED_RAW_ROUTES if not each[1].startswith("/mcp")]:
        for method in ["GET", "PUT"] if route.endswith("/content") else ["GET"]:
            with cell(
                mismatches, f"{kind} {method}", route, "Alice's session", undo=False
            ) as answer:
                query = {**known(route), "surprise": "1"}
                told = raw_routes.ask(kind, route, query, cookie_of(alice), method)
                said = json.loads(told.text)
                answer.equal("code", said["code"], "invalid")
                answer.equal("the name told", "surprise: Unknown field" in said["error"], True)
                answer.equal("status", told.status in (400, 4400), True)
    asked = [path for path in alices_machine.asked if "surprise" in path]

    assert not mismatches, "\n".join(mismatches)
    assert asked == []


def untouched(sandbox):
    return Sandbox.objects.filter(pk=sandbox.pk, phase="ready", next_attempt_at=None).exists()


def test_bob_gets_nothing_of_alices_sandbox(bob, alices_sandbox, monkeypatch):
    monkeypatch.setattr("sandboxes.api.init._WAIT", 0.1)
    name, browser, mismatches = alices_sandbox.name, signed_in(bob), []
    for route, method in itertools.product(OURS, ["GET", "POST", "PUT", "DELETE"]):
        with cell(mismatches, method, route, "Bob's session") as answer:
            response = getattr(browser(), method.lower())(f"/{route}")
            answer.lacks("a body", response.text, name)
            answer.lacks("a Location", response.headers.get("Location", ""), name)
            events = SandboxEvent.objects.filter(sandbox_name=name).count()
            answer.equal("events of Alice's sandbox", events, 0)
            answer.equal("Alice's sandbox untouched", untouched(alices_sandbox), True)

    assert not mismatches, "\n".join(mismatches)


@pytest.mark.parametrize("phase", ["failed", "gone", "deleting"])
def test_neither_when_it_failed_or_is_gone(alice, bob, phase):
    alices = SandboxFactory(owner=alice, phase=phase)
    browser, mismatches = signed_in(bob), []
    for route in OURS:
        with cell(mismatches, "GET", route, "Bob's session") as answer:
            answer.lacks("a body", browser().get(f"/{route}").text, alices.name)

    assert not mismatches, "\n".join(mismatches)


def test_the_administration_is_closed_to_people_who_are_not_staff(bob, alices_sandbox):
    browser, mismatches = signed_in(bob), []
    for route, method in itertools.product(ADMINS, ["GET", "POST"]):
        with cell(mismatches, method, route, "Bob's session") as answer:
            response = getattr(browser(), method.lower())(f"/{route}")
            answer.one_of("status", response.status_code, (302, 403))
            answer.one_of("sent to", response.get("Location", "").split("?")[0], SIGN_IN)
            answer.lacks("a body", response.text, alices_sandbox.name)

    assert not mismatches, "\n".join(mismatches)


def test_no_session_changes_anything_without_a_csrf_token(alices_sandbox):
    browser = signed_in(alices_sandbox.owner, enforce_csrf_checks=True)
    routes = [route for route in OURS if route not in WITHOUT_SESSION]
    mismatches = []
    for route, method in itertools.product(routes, ["POST", "PUT", "PATCH", "DELETE"]):
        with cell(mismatches, method, route, "the owner's session, no CSRF token") as answer:
            response = getattr(browser(), method.lower())(f"/{route}")
            answer.one_of("status", response.status_code, (403, 405))
            answer.equal("the sandbox untouched", untouched(alices_sandbox), True)

    assert not mismatches, "\n".join(mismatches)


def test_there_no_session_counts(alices_sandbox):
    browser, mismatches = signed_in(alices_sandbox.owner), []
    for route in sorted(WITHOUT_SESSION):
        with cell(mismatches, "POST", route, "the owner's session") as answer:
            as_owner, as_stranger = browser().post(f"/{route}"), Client().post(f"/{route}")
            answer.one_of("status", as_owner.status_code, (400, 401))
            answer.equal("status", as_owner.status_code, as_stranger.status_code)
            answer.equal("body", as_owner.content, as_stranger.content)

    assert not mismatches, "\n".join(mismatches)


def test_the_workspace_key_is_never_shown_and_no_cache_keeps_an_answer(admin_user):
    SandboxFactory(owner=admin_user)
    browser, mismatches = signed_in(admin_user), []
    for route in ROUTES:
        with cell(mismatches, "GET", route, "an admin's session") as answer:
            response = browser().get(f"/{route}")
            answer.lacks("a body", response.text, CANARY_KEY)
            answer.lacks("headers", str(response.headers), CANARY_KEY)
            answer.equal("no cache", "no-store" in response.get("Cache-Control", ""), True)

    assert not mismatches, "\n".join(mismatches)


def test_every_page_has_a_strict_policy(alices_sandbox):
    browser, mismatches = signed_in(alices_sandbox.owner), []
    for route in OURS:
        with cell(mismatches, "GET", route, "the owner's session") as answer:
            policy = browser().get(f"/{route}")["Content-Security-Policy"]
            answer.lacks("a policy", policy, "unsafe")
            for part in ("default-src 'none'", "frame-ancestors 'none'"):
                answer.equal(f"{part} in the policy", part in policy, True)

    assert not mismatches, "\n".join(mismatches)


def is_page(response):
    return response.status_code == 200 and not response.streaming and "<html" in response.text


# The administration's pages are Django's own.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_every_page_is_looked_at_in_a_browser(alices_sandbox):
    browser, mismatches = signed_in(alices_sandbox.owner), []
    session = browser().session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
    session.save()
    who = {"no credential": Client, "the owner's session": browser}
    routes = [route for route in ROUTES if not route.startswith("admin/")]
    for route, (credential, make) in itertools.product(routes, who.items()):
        with cell(mismatches, "GET", route, credential) as answer:
            listed = f"/{route}" in page_list.ALL
            page = is_page(make().get(f"/{route}"))
            answer.equal("a page to be in page_list", listed or not page, True)

    assert not mismatches, "\n".join(mismatches)
