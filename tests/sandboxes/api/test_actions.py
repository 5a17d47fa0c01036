"""/api/sandbox: what programs can do with one's own sandbox."""

import pytest
from django.test import Client
from django.utils import timezone

from sandboxes.models import Phase, Sandbox
from tests.support.factories import SandboxFactory, make_token, pending

ACTIONS = ["restart", "extend", "reset"]


@pytest.fixture
def signed_in(client, alices_sandbox):
    client.force_login(alices_sandbox.owner)
    return client


def send(client, method, path="", body=None):
    call = getattr(client, method)
    where = f"/api/sandbox/{path}" if path else "/api/sandbox"
    return call(where, body or {}, content_type="application/json")


def test_the_sandbox_in_full(signed_in, alices_sandbox):
    answer = signed_in.get("/api/sandbox").json()["sandbox"]

    assert answer["sandboxId"] == alices_sandbox.name
    assert answer["status"] == "active"
    assert answer["memoryMb"] == 4096
    assert answer["expiresAt"].startswith(f"{alices_sandbox.expires_at:%Y-%m-%dT%H:%M}")
    assert (answer["restarting"], answer["deleting"]) == (False, False)


def test_reading_it_is_three_queries_and_no_outside_call(signed_in, django_assert_num_queries):
    signed_in.get("/api/sandbox")

    with django_assert_num_queries(3):  # session, user, sandbox
        signed_in.get("/api/sandbox")


def test_reading_it_with_a_token_is_two_queries(client, alices_sandbox, django_assert_num_queries):
    token = make_token(alices_sandbox.owner, "sandbox:read", "mcp")
    headers = {"Authorization": f"Bearer {token}"}
    client.get("/api/sandbox", headers=headers)  # notes the use, and has the row watched

    # The token with its user, and the sandbox; permissions of an agent are of no use here.
    with django_assert_num_queries(2):
        assert client.get("/api/sandbox", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "mark"),
    [
        ("post", "restart", {"restart_wanted_at__isnull": False}),
        ("post", "extend", {"extended_until__isnull": False}),
        ("post", "reset", {"phase": Phase.DELETING, "recreate_after_delete": True}),
        ("delete", "", {"phase": Phase.DELETING, "recreate_after_delete": False}),
    ],
)
def test_an_action_is_accepted_and_is_for_the_worker(signed_in, alices_sandbox, method, path, mark):
    answer = send(signed_in, method, path, {"confirm": alices_sandbox.name})

    assert answer.status_code == 202
    assert answer["Retry-After"]
    assert answer.json()["sandbox"]["sandboxId"] == alices_sandbox.name
    assert Sandbox.objects.due().filter(**mark).get() == alices_sandbox


@pytest.mark.parametrize(("method", "path"), [("post", "reset"), ("delete", "")])
@pytest.mark.parametrize("body", [{}, {"confirm": "user-0"}, {"confirm": ["x"]}, {"confirm": None}])
def test_what_destroys_work_asks_for_the_id(signed_in, method, path, body):
    answer = send(signed_in, method, path, body)

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"
    assert not Sandbox.objects.due().exists()


@pytest.mark.parametrize("path", ACTIONS)
def test_who_has_no_sandbox_is_told_so(client, alice, path):
    client.force_login(alice)

    answer = send(client, "post", path, {"confirm": "x"})

    assert (answer.status_code, answer.json()["code"]) == (404, "no_sandbox")


@pytest.mark.parametrize("path", ["", *ACTIONS])
def test_who_is_not_signed_in_is_unauthorized(client, db, path):
    answer = send(client, "post" if path else "delete", path)

    assert (answer.status_code, answer.json()) == (401, {"error": "Unauthorized"})


@pytest.mark.parametrize("path", ACTIONS)
def test_an_action_is_a_post(signed_in, path):
    assert signed_in.get(f"/api/sandbox/{path}").status_code == 405


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"phase": Phase.DELETING}, 409, "being_deleted"),
        ({"phase": Phase.GONE}, 410, "sandbox_gone"),
        (pending(), 409, "sandbox_busy"),
    ],
)
def test_what_is_not_there_is_not_restarted(client, alice, fields, status, code):
    SandboxFactory(owner=alice, **fields)
    client.force_login(alice)

    answer = send(client, "post", "restart")

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_start_during_a_deletion_is_refused_with_a_clear_code(client, alice):
    SandboxFactory(owner=alice, phase=Phase.DELETING)
    client.force_login(alice)

    answer = send(client, "post", "init")

    assert (answer.status_code, answer.json()["code"]) == (409, "being_deleted")


def test_a_reset_that_is_under_way_reads_as_provisioning(client, alice):
    SandboxFactory(owner=alice, phase=Phase.DELETING, recreate_after_delete=True)
    client.force_login(alice)

    assert client.get("/api/sandbox").json()["sandbox"]["status"] == "provisioning"


@pytest.mark.parametrize("path", ["", *ACTIONS])
def test_a_session_needs_a_csrf_token(alices_sandbox, path):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alices_sandbox.owner)

    answer = send(client, "post" if path else "delete", path, {"confirm": alices_sandbox.name})

    assert answer.status_code == 403
    assert not Sandbox.objects.due().exists()


def test_the_schema_describes_every_action(client, db):
    schema = client.get("/api/schema").text

    for name in ("sandbox_detail", "sandbox_delete", "sandbox_reset", "sandbox_restart"):
        assert f"operationId: {name}" in schema
    assert "operationId: sandbox_extend" in schema


def test_an_expired_sandbox_has_no_stale_address(client, alice):
    SandboxFactory(owner=alice, phase=Phase.GONE, url="", checked_at=timezone.now())
    client.force_login(alice)

    answer = client.get("/api/sandbox").json()["sandbox"]

    assert answer["sandboxUrl"] is None
    assert answer["status"] == "stopped"
