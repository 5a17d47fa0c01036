"""Who may come in beside Django: asked of a small application behind the gate."""

import asyncio

import httpx
import pytest
from django.test import Client
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from accounts.models import PersonalToken, Scope
from sandboxes.streams import auth
from sandboxes.streams.revocation import revocation_watcher
from tests.support.factories import SandboxFactory, make_token

pytestmark = pytest.mark.django_db(transaction=True)
ALL = [scope.value for scope in Scope]


async def endpoint(request):
    try:
        principal = await auth.authenticate(request, Scope.FILES_READ)
    except auth.AccessDenied as refused:
        return refused.response
    return JSONResponse({"sandbox": principal.sandbox.name})


application = Starlette(routes=[Route("/", endpoint, methods=["GET", "PUT"])])


@pytest.fixture
def ask():
    async def asking(method, headers):
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, "/", headers=headers)

    return lambda method="GET", **headers: asyncio.run(asking(method, headers))


@pytest.fixture
def cookie(alices_sandbox):
    client = Client()
    client.force_login(alices_sandbox.owner)
    return f"sessionid={client.cookies['sessionid'].value}"


def test_a_session_and_a_token_come_to_their_own_sandbox(ask, alices_sandbox, cookie):
    raw = make_token(alices_sandbox.owner, "files:read")

    with_session = ask(Cookie=cookie)
    with_token = ask(Authorization=f"Bearer {raw}")

    assert with_session.json() == with_token.json() == {"sandbox": alices_sandbox.name}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Cookie": "sessionid=nobodys"},
        {"Authorization": "Bearer manta_pat_x"},
        {"Authorization": "Basic YTpi"},
    ],
)
def test_a_stranger_is_refused(ask, alices_sandbox, headers):
    response = ask(**headers)

    assert response.status_code == 401
    assert response.json() == {"error": "Unauthorized"}


def test_with_a_token_no_cookie_counts(ask, cookie):
    response = ask(Cookie=cookie, Authorization="Bearer manta_pat_x")

    assert response.status_code == 401


def test_another_scope_does_not_do(ask, alices_sandbox):
    others = [scope for scope in ALL if scope != "files:read"]
    raw = make_token(alices_sandbox.owner, *others)

    response = ask(Authorization=f"Bearer {raw}")

    assert response.status_code == 403
    assert response.json()["code"] == "insufficient_scope"


@pytest.mark.parametrize(
    "origin", ["", "null", "http://evil.example", "http://localhost.evil.example", "//localhost"]
)
def test_a_session_changes_nothing_from_elsewhere(ask, cookie, origin):
    response = ask("PUT", Cookie=cookie, Origin=origin)

    assert response.status_code == 403


def test_a_session_changes_from_a_page_of_mantas_and_a_token_from_anywhere(
    ask, alices_sandbox, cookie
):
    raw = make_token(alices_sandbox.owner, "files:read")

    with_session = ask("PUT", Cookie=cookie, Origin="http://localhost")
    with_token = ask("PUT", Authorization=f"Bearer {raw}")

    assert (with_session.status_code, with_token.status_code) == (200, 200)


def test_a_host_that_is_not_mantas_is_not_believed(ask, cookie):
    headers = {"Cookie": cookie, "Origin": "http://evil.example", "Host": "evil.example"}

    assert (ask("PUT", **headers)).status_code == 403


def test_who_has_no_sandbox_reads_what_to_do(ask, bob):
    response = ask(Authorization=f"Bearer {make_token(bob, 'files:read')}")

    assert response.status_code == 404
    assert response.json()["code"] == "no_sandbox"


def test_one_that_is_being_made_is_waited_for(ask, bob):
    SandboxFactory(owner=bob, phase="deleting")

    response = ask(Authorization=f"Bearer {make_token(bob, 'files:read')}")

    assert response.status_code == 409
    assert response.headers["Retry-After"]


@pytest.fixture
def token(alices_sandbox):
    return make_token(alices_sandbox.owner, "files:read")


async def test_a_sign_out_and_a_revocation_end_what_is_open(cookie, token):
    sessions = auth.HTTPConnection(_scope(Cookie=cookie))
    tokens = auth.HTTPConnection(_scope(Authorization=f"Bearer {token}"))
    one = await auth.authenticate(sessions, Scope.FILES_READ)
    other = await auth.authenticate(tokens, Scope.FILES_READ)

    async with (
        revocation_watcher.watching(one.credential) as signed_out,
        revocation_watcher.watching(other.credential) as revoked,
    ):
        assert not signed_out.is_set()
        await one.does(lambda: Client(headers={"Cookie": cookie}).post("/accounts/logout/"))
        await one.does(lambda: PersonalToken.objects.update(revoked_at="2026-01-01T00:00:00Z"))
        await signed_out.wait()
        await revoked.wait()


def _scope(**headers):
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": "GET", "path": "/", "headers": raw, "client": ("::1", 1)}
