"""Rules that hold for every route, taken from the resolver so that a new one can't be forgotten."""

import json
import re
import time

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver
from starlette.routing import Route, WebSocketRoute

from manta.asgi import application
from sandboxes.models import Sandbox, SandboxEvent, Terminal
from tests import beside
from tests.e2e import pages
from tests.factories import SandboxFactory
from tests.sandboxes.live.running import cookie_of
from tests.settings import CANARY_KEY

# Who is not signed in may see these, and nothing else. A new route joins by being closed.
OPEN = {
    "",
    ".well-known/oauth-authorization-server",
    ".well-known/oauth-protected-resource",
    ".well-known/oauth-protected-resource/mcp",
    "accounts/3rdparty/login/cancelled/",
    "accounts/confirm-email/",
    "accounts/confirm-email/x/",
    "accounts/github/login/",
    "accounts/google/login/",
    "accounts/inactive/",
    "accounts/login/",
    "accounts/login/code/",
    "accounts/password/reset/",
    "accounts/password/reset/done/",
    "accounts/password/reset/key/0-x/",
    "accounts/password/reset/key/done/",
    "accounts/signup/",
    "api/docs",
    "api/schema",
    "help/errors/",
    "readyz",
}
# Programs ask there, without a session: a code, a token or nothing at all is what they show.
WITHOUT_SESSION = {"oauth/register", "oauth/revoke", "oauth/token"}
SAMPLES = {
    "int": "3000",
    "str": "x",
    "path": "x",
    "slug": "x",
    "uuid": "00000000-0000-0000-0000-000000000000",
}


def paths(resolver, prefix=""):
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield _concrete(route)
        else:
            yield from paths(pattern, route)


def _concrete(route):
    route = re.sub(r"<(\w+):\w+>", lambda match: SAMPLES[match[1]], route)
    route = re.sub(r"<\w+>", "x", route)
    route = route.replace(r"^", "").replace("$", "").replace(r"\Z", "")
    route = re.sub(r"\(\?P<(\w+)>.*?\)(?=[-/]|$)", lambda m: "0" if "uid" in m[1] else "x", route)
    return route.replace("[-:\\w]+", "x").replace("\\", "")


ROUTES = sorted(set(paths(get_resolver())))
# Beside Django. Who may read /metrics is a matter of its own: tests/operations.
BESIDE = [route.path for route in application.routes if isinstance(route, Route)]
OPEN_BESIDE = {"/healthz", "/metrics"}
KINDS = {Route: "http", WebSocketRoute: "websocket"}
EVERY_KIND = [
    (KINDS[type(route)], route.path)
    for route in application.routes
    if type(route) in KINDS and route.path not in OPEN_BESIDE
]
OURS = [route for route in ROUTES if not route.startswith(("admin/", "accounts/"))]


def test_the_routes_are_found():
    assert "/live/sandbox" in BESIDE
    assert ("websocket", "/ws/terminal") in EVERY_KIND
    assert {"workspace/", "sandbox/open/3000/", "api/sandbox/init", "account/delete/"} <= set(
        ROUTES
    )


@pytest.mark.parametrize("route", [route for route in ROUTES if route not in OPEN])
def test_a_closed_route_shows_a_stranger_nothing(client, alices_sandbox, route):
    response = client.get(f"/{route}")

    assert response.status_code in (301, 302, 401, 404, 405)
    assert alices_sandbox.name not in response.text


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("kind", "route"), EVERY_KIND)
@pytest.mark.parametrize("cookie", ["", "sessionid=of-nobody-at-all"])
def test_a_closed_route_beside_django_tells_a_stranger_nothing(kind, route, cookie):
    answer = beside.ask(kind, route, {}, cookie)

    assert answer.status == 401
    assert json.loads(answer.text) == {"error": "Unauthorized"}


@pytest.fixture
def alices_machine():
    with beside.machine() as machine:
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


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("kind", "route"), EVERY_KIND)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_bob_reaches_nothing_of_alices_beside_django(
    kind, route, method, named_by_bob, bob, alices_machine
):
    with beside.machine() as bobs_machine:
        SandboxFactory(owner=bob, url=bobs_machine.url)

        answer = beside.ask(kind, route, named_by_bob, cookie_of(bob), method)

    assert answer.status
    assert named_by_bob["sandbox"] not in answer.text
    assert alices_machine.asked == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("route", "status"), [("/api/sandbox/processes/logs", 404)])
def test_whoever_asks_reaches_their_own(route, status, named_by_bob, alice, alices_machine):
    answer = beside.ask("http", route, named_by_bob, cookie_of(alice))

    assert answer.status == status
    assert len(alices_machine.asked) > 0


@pytest.mark.parametrize("route", OURS)
@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_bob_gets_nothing_of_alices_sandbox(client, bob, alices_sandbox, route, method):
    client.force_login(bob)

    response = getattr(client, method)(f"/{route}")

    assert alices_sandbox.name not in response.text
    assert alices_sandbox.name not in response.headers.get("Location", "")
    assert not SandboxEvent.objects.filter(sandbox_name=alices_sandbox.name).exists()
    assert Sandbox.objects.filter(pk=alices_sandbox.pk, phase="ready", next_attempt_at=None)


@pytest.mark.parametrize("fields", [{"phase": "failed"}, {"phase": "gone"}, {"phase": "deleting"}])
@pytest.mark.parametrize("route", OURS)
def test_neither_when_it_failed_or_is_gone(client, alice, bob, route, fields):
    alices = SandboxFactory(owner=alice, **fields)
    client.force_login(bob)

    assert alices.name not in client.get(f"/{route}").text


@pytest.mark.parametrize("route", [route for route in OURS if route not in WITHOUT_SESSION])
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_no_session_changes_anything_without_a_csrf_token(alices_sandbox, route, method):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alices_sandbox.owner)

    response = getattr(client, method)(f"/{route}")

    assert response.status_code in (403, 405)
    assert Sandbox.objects.filter(pk=alices_sandbox.pk, phase="ready", next_attempt_at=None)


@pytest.mark.parametrize("route", sorted(WITHOUT_SESSION))
def test_there_no_session_counts(client, alices_sandbox, route):
    client.force_login(alices_sandbox.owner)

    as_owner, as_stranger = client.post(f"/{route}"), Client().post(f"/{route}")

    assert as_owner.status_code == as_stranger.status_code
    assert as_owner.content == as_stranger.content
    assert as_owner.status_code in (400, 401)


@pytest.mark.parametrize("route", ROUTES)
def test_the_workspace_key_is_never_shown(client, admin_user, route):
    SandboxFactory(owner=admin_user)
    client.force_login(admin_user)

    response = client.get(f"/{route}")

    assert CANARY_KEY not in response.text
    assert CANARY_KEY not in str(response.headers)


@pytest.mark.parametrize("route", OURS)
def test_every_page_has_a_strict_policy(client, alices_sandbox, route):
    client.force_login(alices_sandbox.owner)

    policy = client.get(f"/{route}")["Content-Security-Policy"]

    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy


def is_page(response):
    return response.status_code == 200 and not response.streaming and "<html" in response.text


# The administration's pages are Django's own.
@pytest.mark.parametrize("route", [route for route in ROUTES if not route.startswith("admin/")])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_every_page_is_looked_at_in_a_browser(client, alices_sandbox, route):
    as_stranger = client.get(f"/{route}")
    client.force_login(alices_sandbox.owner)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
    session.save()

    as_owner = client.get(f"/{route}")

    assert f"/{route}" in pages.ALL or not (is_page(as_stranger) or is_page(as_owner))
