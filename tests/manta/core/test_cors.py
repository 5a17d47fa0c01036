"""Who asks from a page of their own: where that is let through, and where not."""

import httpx
import pytest

from manta.asgi import application

PAGE = {"Origin": "http://localhost:6274"}
ASKS = PAGE | {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization, content-type, mcp-protocol-version",
}
METADATA = [
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-protected-resource",
    "/.well-known/oauth-protected-resource/mcp",
]
OPEN = ["/mcp", "/mcp/", "/oauth/register", "/oauth/token", "/oauth/revoke", *METADATA]
CLOSED = ["/oauth/authorize", "/api/sandbox/init", "/account/tokens/", "/live/sandbox"]


@pytest.fixture
async def http(db):
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


@pytest.fixture
def session(transactional_db, client, alice):
    """A signed-in browser's cookie."""
    client.force_login(alice)
    return {"Cookie": f"sessionid={client.cookies['sessionid'].value}"}


@pytest.mark.parametrize("path", OPEN)
async def test_a_page_may_ask_without_what_its_browser_knows(http, path):
    answer = await http.options(path, headers=ASKS)

    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "mcp-protocol-version" in answer.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("path", CLOSED)
async def test_and_nothing_else_is_open(http, path):
    asked = await http.options(path, headers=ASKS)
    answer = await http.get(path, headers=PAGE)

    assert "Access-Control-Allow-Origin" not in asked.headers
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("path", METADATA)
async def test_it_reads_how_to_get_in(http, path):
    answer = await http.get(path, headers=PAGE)

    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


async def test_it_reads_where_to_sign_in(http):
    answer = await http.post("/mcp", headers=PAGE, json={})

    assert answer.status_code == 401
    assert "resource_metadata" in answer.headers["WWW-Authenticate"]
    assert answer.headers["Access-Control-Expose-Headers"] == "WWW-Authenticate"


@pytest.mark.parametrize("path", ["/mcp", "/oauth/token", "/oauth/revoke"])
async def test_a_session_is_worth_nothing_there(session, http, path):
    signed_in = await http.post(path, headers=PAGE | session)
    stranger = await http.post(path, headers=PAGE)

    assert (signed_in.status_code, signed_in.text) == (stranger.status_code, stranger.text)
    assert signed_in.status_code in (400, 401)
    assert "Access-Control-Allow-Credentials" not in signed_in.headers
