"""Where a client reads how to get in."""

import pytest


def test_the_resource_is_the_exact_address_of_mcp(client):
    answers = [client.get(f"/.well-known/oauth-protected-resource{end}") for end in ("", "/mcp")]

    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["resource"] == "http://localhost:8000/mcp"
    assert answers[0].json()["authorization_servers"] == ["http://localhost:8000"]
    assert answers[0].json()["scopes_supported"] == ["mcp"]


def test_the_server_names_only_what_works(client):
    told = client.get("/.well-known/oauth-authorization-server").json()

    assert told["code_challenge_methods_supported"] == ["S256"]
    assert told["token_endpoint_auth_methods_supported"] == ["none"]
    assert told["response_types_supported"] == ["code"]
    assert told["grant_types_supported"] == ["authorization_code", "refresh_token"]
    assert "client_id_metadata_document_supported" not in told
    paths = [told[f"{name}_endpoint"] for name in ("token", "registration", "revocation")]
    assert all(client.get(path).status_code == 405 for path in paths)


@pytest.mark.parametrize(
    "path",
    [
        "/.well-known/openid-configuration",
        "/.well-known/jwks.json",
        "/identity/o/authorize",
        "/identity/o/api/token",
        "/identity/o/api/clients",
        "/identity/o/api/device/code",
        "/identity/o/api/userinfo",
        "/identity/o/logout",
    ],
)
def test_of_allauths_endpoints_there_is_none_beside_these(client, path):
    assert client.get(path).status_code == 404
    assert client.post(path).status_code == 404


def test_the_issuer_is_what_is_configured_whatever_host_was_asked(client, settings):
    settings.MANTA_URL, settings.ALLOWED_HOSTS = "https://manta.example", ["*"]

    told = client.get("/.well-known/oauth-authorization-server", headers={"Host": "evil.example"})

    assert told.json()["issuer"] == "https://manta.example"
    assert "evil" not in told.text
