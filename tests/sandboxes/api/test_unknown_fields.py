"""Fields that the API does not know: refused, by name, wherever a body or a query is read."""

from tests.support.matrix import cell, signed_in
from tests.support.routes import API, API_VIEWS

# What is required there.
QUERIES = {
    "api/sandbox/files": "path=/a&",
    "api/sandbox/files/search": "path=/a&query=x&",
    "api/sandbox/ports": "",
    "api/sandbox/events": "",
    "api/sandbox/calls": "",
}


def requests(methods):
    for route in API:
        for method in sorted(methods & set(methods_of(route))):
            yield route, method


def methods_of(route):
    return API_VIEWS[route]().allowed_methods


def test_an_unknown_field_of_a_body_is_named(alices_sandbox):
    browser, mismatches = signed_in(alices_sandbox.owner), []
    for route, method in requests({"POST", "PUT", "PATCH", "DELETE"}):
        with cell(mismatches, method, route, "the owner's session") as answer:
            # Where a body has the fields, a query has none.
            query = QUERIES.get(route, "") if method == "DELETE" else ""
            response = browser().generic(
                method, f"/{route}?{query}", '{"surprise": 1}', content_type="application/json"
            )
            told = response.json()
            answer.equal("status", response.status_code, 400)
            answer.equal("code", told.get("code"), "invalid")
            answer.equal("the name told", "surprise: Unknown field" in told["error"], True)

    assert not mismatches, "\n".join(mismatches)


def test_an_unknown_field_of_a_query_is_named(alices_sandbox):
    browser, mismatches = signed_in(alices_sandbox.owner), []
    for route, method in requests({"GET", "POST", "PUT", "PATCH", "DELETE"}):
        with cell(mismatches, method, route, "the owner's session") as answer:
            query = QUERIES.get(route, "")
            response = browser().generic(method, f"/{route}?{query}surprise=1")
            answer.equal("status", response.status_code, 400)
            answer.equal(
                "the name told", "surprise: Unknown field" in response.json()["error"], True
            )

    assert not mismatches, "\n".join(mismatches)


def test_the_error_lists_the_fields_that_there_are(client, alices_sandbox):
    client.force_login(alices_sandbox.owner)

    response = client.post(
        "/api/sandbox/processes",
        {"command": "true", "folder": "/tmp"},
        content_type="application/json",
    )

    assert response.json()["error"] == (
        "folder: Unknown field. Known fields: "
        "command, name, workingDir, env, keepAlive, restartOnFailure."
    )


def test_a_field_that_is_only_read_is_not_taken(client, alices_sandbox):
    client.force_login(alices_sandbox.owner)

    response = client.post(
        "/api/sandbox/terminals", {"key": "mine"}, content_type="application/json"
    )

    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert response.json()["error"].startswith("key: ")


def test_nothing_to_say_may_be_said(client, alices_sandbox):
    client.force_login(alices_sandbox.owner)

    for body in ("", "{}", "null"):
        response = client.generic(
            "POST", "/api/sandbox/init", body, content_type="application/json"
        )
        assert response.status_code == 200


def test_a_field_whose_name_is_half_a_character_is_named(client, alices_sandbox):
    client.force_login(alices_sandbox.owner)

    response = client.post(
        "/api/sandbox/files/folder", '{"\\ud800": 1}', content_type="application/json"
    )

    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert "\\ud800: Unknown field" in response.json()["error"]
