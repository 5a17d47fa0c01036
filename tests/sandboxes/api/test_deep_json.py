"""JSON that is nested without end, or has values without end, on every route that takes some."""

import pytest

DEEP = '{"a":' * 2_000 + "1" + "}" * 2_000
ROUTES = [
    ("post", "/api/sandbox/reset"),
    ("post", "/api/sandbox/processes"),
    ("post", "/api/sandbox/terminals"),
    ("put", "/api/sandbox/ports/3000/public"),
    ("put", "/api/sandbox/files"),
    ("post", "/api/sandbox/files/move"),
]


# Others take no more than 256 KB.
MANY = '{"path": [' + "[]," * 600_000 + "[]]}"


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_deep_json_is_the_senders_mistake(client, alices_sandbox, method, path):
    client.force_login(alices_sandbox.owner)
    client.raise_request_exception = False

    answer = getattr(client, method)(path, DEEP, content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")


def test_so_are_many_values_where_a_text_may_be_long(client, alices_sandbox):
    client.force_login(alices_sandbox.owner)

    answer = client.put("/api/sandbox/files", MANY, content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")
    assert "too many values" in answer.json()["error"]
