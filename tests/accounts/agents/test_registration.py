"""The registrations that an agent may make."""

import pytest
from allauth.idp.oidc.models import Client as OAuthClient
from django.test import Client

from accounts.oauth import agents, redirects

URL = "/oauth/register"


@pytest.mark.parametrize(
    "uri",
    [
        "https://claude.ai/api/mcp/auth_callback",
        "https://example.com:8443/cb?x=1",
        "http://127.0.0.1:33418/callback",
        "http://127.0.0.1/",
        "http://[::1]:1/",
        "http://localhost:6274/oauth/callback",
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "vscode://vscode.mcp/callback",
    ],
)
def test_it_may_lead_back_to_the_web_this_machine_and_known_apps(agent, uri):
    assert agent.register(redirect_uris=[uri]).status_code == 201


@pytest.mark.parametrize(
    "uri",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "http://evil.example/cb",
        "http://localhost.evil.example/cb",
        "http://127.0.0.1@evil.example/cb",
        "http://[::1].evil.example/cb",
        "cursor://[::1].evil.example/cb",
        "https://good.example@evil.example/",
        "https://evil.example/#fragment",
        "https://evil.example;script-src *",
        "https://*.example.com/cb",
        "https:///cb",
        "http://127.0.0.1:x/",
        "http://127.0.0.1:99999/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "unknown-app://callback",
        "//evil.example/cb",
        "/callback",
        "https://example.com/\r\nSet-Cookie: x",
        "https://example.com/\u202e",
        "https://example.com/" + "x" * 600,
        "",
        None,
        7,
    ],
)
def test_and_to_nothing_else(agent, uri):
    answer = agent.register(redirect_uris=["https://good.example/cb", uri])

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_redirect_uri"
    assert OAuthClient.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    ["", "[]", "7", "{", "[" * 100_000, '{"redirect_uris": {}}', '{"redirect_uris": []}', "\x00"],
)
def test_what_is_no_registration_is_refused(agent, body):
    answer = agent.http.post(URL, body, content_type="application/json")

    assert answer.status_code == 400
    assert "error_description" in answer.json()


@pytest.mark.parametrize("method", [None, "client_secret_basic", "client_secret_post", "none"])
@pytest.mark.parametrize("grants", [None, ["authorization_code"], ["client_credentials"]])
@pytest.mark.parametrize("scope", [None, "openid", "mcp admin anything", "sandbox:write"])
def test_whatever_it_asks_for_it_is_public_and_gets_what_agents_get(agent, method, grants, scope):
    metadata = {"token_endpoint_auth_method": method, "grant_types": grants, "scope": scope}
    asked = {name: value for name, value in metadata.items() if value}

    told = agent.register(redirect_uris=["https://example.com/cb"], **asked).json()

    assert told["token_endpoint_auth_method"] == "none"
    assert "client_secret" not in told
    assert told["grant_types"] == ["authorization_code", "refresh_token"]
    assert told["scope"] == "mcp offline_access"


def test_nothing_else_that_it_says_is_kept(agent):
    agent.register(redirect_uris=["https://example.com/cb"], logo_uri="x" * 100_000, owner=1)

    client = OAuthClient.objects.latest("created_at")
    assert len(str(client.data)) < 300
    assert (client.owner, client.skip_consent, client.allow_uri_wildcards) == (None, False, False)
    assert client.cors_origins == ""


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Cursor", "Cursor"),
        ("  A\u202eB\nC  ", "ABC"),
        ("A <b>B</b>", "A bB/b"),
        ("x" * 500, "x" * 100),
        ("", "example.com:8443"),
        (None, "example.com:8443"),
    ],
)
def test_its_name_is_what_can_be_seen_of_it(agent, name, kept):
    told = agent.register(client_name=name, redirect_uris=["https://example.com:8443/"]).json()

    assert told["client_name"] == kept


def test_a_name_that_is_no_text_is_refused(agent):
    answer = agent.register(client_name={"x": 1}, redirect_uris=["https://example.com/"])

    assert answer.json()["error"] == "invalid_client_metadata"


def test_an_office_may_register_at_once_and_a_flood_may_not(agent):
    body = {"redirect_uris": ["https://example.com/cb"]}
    answers = [agent.register(**body) for _ in range(20)]

    assert [answer.status_code for answer in answers] == [201] * 19 + [429]
    assert answers[-1]["Retry-After"]


def test_behind_a_proxy_each_address_has_its_own_limit(agent, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    body = {"redirect_uris": ["https://example.com/cb"]}

    def register(address):
        headers = {"X-Forwarded-For": address}
        return Client().post(URL, body, content_type="application/json", headers=headers)

    assert {register("192.0.2.1").status_code for _ in range(20)} == {201}
    assert register("192.0.2.1").status_code == 429
    assert register("192.0.2.2").status_code == 201


def test_a_client_id_that_is_an_address_is_not_fetched(client, alice):
    client.force_login(alice)

    answer = client.get("/oauth/authorize?client_id=https://127.0.0.1:9/client.json")

    assert answer.status_code == 400


def test_a_client_that_nobody_lets_in_is_forgotten(agent):
    agents.forget_old()
    assert OAuthClient.objects.exists()

    OAuthClient.objects.update(created_at="2026-01-01T00:00:00Z")
    agents.forget_old()

    assert not OAuthClient.objects.exists()


@pytest.mark.parametrize(
    ("asked", "registered", "good"),
    [
        ("http://127.0.0.1:5/cb", "http://127.0.0.1:33418/cb", True),
        ("http://127.0.0.1/cb", "http://127.0.0.1:33418/cb", True),
        ("http://localhost:5/cb", "http://localhost/cb", True),
        ("http://[::1]:5/cb", "http://[::1]:6/cb", True),
        ("http://localhost:5/cb", "http://127.0.0.1:5/cb", False),
        ("http://127.0.0.1:5/other", "http://127.0.0.1:5/cb", False),
        ("http://127.0.0.1:5/cb?x=1", "http://127.0.0.1:5/cb", False),
        ("http://127.0.0.1:99999/cb", "http://127.0.0.1:5/cb", False),
        ("http://u@127.0.0.1:5/cb", "http://127.0.0.1:5/cb", False),
        ("https://example.com:5/cb", "https://example.com/cb", False),
        ("https://example.com/cb/", "https://example.com/cb", False),
        ("https://example.com/cb?x=1", "https://example.com/cb", False),
        ("cursor://b", "cursor://a", False),
        ("javascript:alert(1)", "javascript:alert(1)", False),
    ],
)
def test_only_the_port_on_this_machine_may_differ(asked, registered, good):
    assert redirects.matches(asked, [registered]) is good
