"""Properties that every answer of the agent has in common."""

import json

import pytest
from starlette.responses import Response

from local_blaxel.agent.app import CommonAnswers


def test_health_has_every_key_the_sdk_needs(agent):
    health = agent.get("/health").json()

    assert health["status"] == "ok"
    assert health.keys() >= {"version", "gitCommit", "buildTime", "goVersion", "os", "arch"}
    assert health.keys() >= {"uptime", "uptimeSeconds", "upgradeCount", "startedAt"}
    assert health["lastUpgrade"].keys() >= {"status", "step", "version"}
    assert health["isolation"] == "bubblewrap"
    assert health["workingDir"] == "/blaxel"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH"])
def test_the_root_welcomes_every_method(agent, method):
    answer = agent.request(method, "/")

    assert answer.status_code == 200
    assert answer.json().keys() == {"message", "documentation", "description"}


@pytest.mark.parametrize("path", ["/nowhere", "/process/x/y/z", "/health/", "/archive/status"])
def test_an_unknown_route_is_a_text_404(agent, path):
    answer = agent.get(path)

    assert (answer.status_code, answer.text) == (404, "404 page not found")
    assert answer.headers["content-type"].startswith("text/plain")


def test_a_wrong_method_is_a_text_404_too(agent):
    assert agent.delete("/health").text == "404 page not found"


@pytest.mark.parametrize("path", ["/health", "/nowhere", "/filesystem//nowhere", "/process/none"])
def test_every_answer_has_the_common_headers(agent, path):
    headers = agent.get(path).headers

    assert headers["access-control-allow-origin"] == "*"
    assert headers["cache-control"] == "no-cache, no-store, must-revalidate"
    assert headers["x-content-type-options"] == "nosniff"


def test_options_is_answered_everywhere(agent):
    answer = agent.options("/filesystem//tmp")

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-headers"] == "Content-Type, Authorization"


@pytest.mark.parametrize(("path", "status"), [("/filesystem//nowhere", 200), ("/nowhere", 404)])
def test_head_answers_200_on_known_routes(agent, path, status):
    answer = agent.head(path)

    assert (answer.status_code, answer.content) == (status, b"")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(agent, body):
    answer = agent.post("/process", content=body)

    assert answer.status_code == 400
    assert "JSON" in answer.json()["error"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("command", 1),
        ("command", ""),
        ("command", "a\0b"),
        ("command", "\ud800"),
        ("name", []),
        ("workingDir", {}),
        ("env", "A=b"),
        ("env", {"A": 1}),
        ("env", {"A=B": "c"}),
        ("timeout", "soon"),
        ("timeout", True),
        ("waitForPorts", 3000),
        ("waitForPorts", ["3000"]),
        ("waitForCompletion", "yes"),
        ("maxRestarts", 1.5),
        ("keepAlive", 1),
    ],
)
def test_a_field_of_the_wrong_type_is_named(agent, field, value):
    body = {"command": "true"} | {field: value}

    answer = agent.post("/process", content=json.dumps(body))

    assert answer.status_code == 400
    assert field in answer.json()["error"]


def test_a_pid_that_is_no_number_is_refused(agent):
    assert agent.get("/network/process/abc/ports").status_code == 400


def test_the_upgrade_stub_is_counted(agent):
    before = agent.get("/health").json()["upgradeCount"]

    answer = agent.post("/upgrade", json={})

    assert answer.status_code == 200
    assert agent.get("/health").json()["upgradeCount"] == before + 1


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("PUT", "/codegen/fastapply/a.py", 400, "codegen tools are not configured"),
        ("GET", "/codegen/reranking/src?query=x", 400, "codegen tools are not configured"),
        ("POST", "/network/process/1/monitor", 422, "does not call back"),
        ("DELETE", "/network/process/1/monitor", 422, "does not call back"),
        ("PUT", "/network/tunnel/config", 400, "WireGuard"),
        ("DELETE", "/network/tunnel", 400, "WireGuard"),
        ("POST", "/drives/mount", 400, "no drives"),
    ],
)
def test_what_cannot_be_done_here_is_refused_with_the_reason(agent, method, path, status, reason):
    answer = agent.request(method, path)

    assert answer.status_code == status
    assert reason in answer.json()["error"]


@pytest.mark.parametrize(
    ("key", "reason"), [("MORPH_API_KEY", "RELACE_API_KEY"), ("RELACE_API_KEY", "does not call")]
)
def test_codegen_with_a_key_says_that_no_provider_is_called(server, key, reason):
    name = server.create(runtime={"envs": [{"name": key, "value": "secret"}]})

    applied = server.http.put(server.inside(name, "/codegen/fastapply/a.py"), json={})
    ranked = server.http.get(server.inside(name, "/codegen/reranking/src?query=x"))

    assert (applied.status_code, ranked.status_code) == (503, 503)
    assert reason in ranked.json()["error"]
    server.delete(name)


async def test_a_bug_ends_no_connection_that_another_request_comes_on():
    """The server closes it after an error that reaches it, and the next one is answered a 502."""

    async def failing(scope, receive, send):
        await Response("it failed", 500)(scope, receive, send)
        raise ValueError("a bug")

    sent = []

    async def send(message):
        sent.append(message["type"])

    await CommonAnswers(failing)({"type": "http", "method": "GET", "path": "/"}, None, send)

    assert sent == ["http.response.start", "http.response.body"]


async def test_an_answer_that_breaks_off_is_no_whole_one():
    async def failing(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError("a bug")

    async def send(message):
        pass

    with pytest.raises(ValueError, match="a bug"):
        await CommonAnswers(failing)({"type": "http", "method": "GET", "path": "/"}, None, send)
