import json

import pytest
from django.test import Client
from django.utils.dateparse import parse_datetime

from sandboxes.models import Phase, Sandbox
from tests.support.factories import SandboxFactory, pending

URL = "/api/sandbox/init"
KEYS = ["sandboxId", "sandboxUrl", "mcpServerUrl", "createdAt", "status", "mcpUrl"]


def test_the_state_of_a_sandbox_has_the_keys_of_the_contract_in_their_order(client, alices_sandbox):
    created = parse_datetime("2024-01-15T10:30:00.987654Z")
    Sandbox.objects.update(provider_created_at=created, url="https://run.example/w/sandboxes/x")
    client.force_login(alices_sandbox.owner)

    response = client.get(URL)

    assert response.status_code == 200
    body = json.loads(response.content)
    assert list(body) == ["sandbox"]
    assert list(body["sandbox"]) == KEYS
    assert body["sandbox"] == {
        "sandboxId": f"user-{alices_sandbox.owner.pk}",
        "sandboxUrl": "https://run.example/w/sandboxes/x",
        "mcpServerUrl": "wss://run.example/w/sandboxes/x",
        "createdAt": "2024-01-15T10:30:00Z",
        "status": "active",
        "mcpUrl": "http://localhost:8000/mcp",
    }


def test_who_has_no_sandbox_is_told_so(client, alice):
    client.force_login(alice)

    response = client.get(URL)

    assert response.content == b'{"sandbox":null,"message":"No sandbox found for user"}'


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_is_unauthorized(client, db, method):
    response = getattr(client, method)(URL)

    assert response.status_code == 401
    assert json.loads(response.content) == {"error": "Unauthorized"}


def test_init_of_a_ready_sandbox_answers_200_at_once(client, alices_sandbox):
    client.force_login(alices_sandbox.owner)

    response = client.post(URL)

    body = json.loads(response.content)
    assert response.status_code == 200
    assert list(body) == ["success", "sandbox"]
    assert body["success"] is True
    assert list(body["sandbox"]) == KEYS


@pytest.mark.django_db(transaction=True)
def test_init_without_a_worker_answers_202_with_nulls(client, alice, monkeypatch):
    monkeypatch.setattr("sandboxes.api.init._WAIT", 0.1)
    client.force_login(alice)

    response = client.post(URL)

    body = json.loads(response.content)
    assert response.status_code == 202
    assert response["Retry-After"] == "2"
    assert list(body["sandbox"]) == KEYS
    assert body["sandbox"]["status"] == "provisioning"
    assert body["sandbox"]["sandboxUrl"] is None
    assert body["sandbox"]["mcpServerUrl"] is None
    assert parse_datetime(body["sandbox"]["createdAt"])


@pytest.mark.django_db(transaction=True)
def test_init_twice_makes_one_row(client, alice, monkeypatch):
    monkeypatch.setattr("sandboxes.api.init._WAIT", 0)
    client.force_login(alice)

    client.post(URL)
    client.post(URL)

    assert Sandbox.objects.filter(owner=alice).count() == 1
    alice.refresh_from_db()
    assert alice.sandbox_id == f"user-{alice.pk}"


def test_init_brings_a_gone_sandbox_back(client, alice, monkeypatch):
    monkeypatch.setattr("sandboxes.api.init._WAIT", 0)
    SandboxFactory(owner=alice, phase=Phase.GONE, provider_status="TERMINATED")
    client.force_login(alice)

    response = client.post(URL)

    assert response.status_code == 202
    assert Sandbox.objects.get().phase == Phase.PENDING


def test_init_during_a_deletion_is_refused_with_a_code(client, alice):
    SandboxFactory(owner=alice, phase=Phase.DELETING)
    client.force_login(alice)

    response = client.post(URL)

    assert response.status_code == 409
    assert json.loads(response.content)["code"] == "being_deleted"


def test_a_gone_sandbox_is_stopped_and_has_no_address(client, alice):
    SandboxFactory(owner=alice, phase=Phase.GONE, url="")
    client.force_login(alice)

    body = json.loads(client.get(URL).content)

    assert body["sandbox"]["status"] == "stopped"
    assert body["sandbox"]["sandboxUrl"] is None


def test_an_unknown_status_is_answered_with_the_last_known_one(client, alice):
    SandboxFactory(owner=alice, provider_status="NEW", known_status="standby")
    client.force_login(alice)

    body = json.loads(client.get(URL).content)

    assert body["sandbox"]["status"] == "standby"
    assert body["sandbox"]["checkedAt"].endswith("Z")


def test_no_more_than_half_of_the_threads_wait(client, alice, monkeypatch, settings):
    SandboxFactory(owner=alice, **pending())
    full = type("Full", (), {"acquire": lambda self, blocking: False})()
    monkeypatch.setattr("sandboxes.api.init._waiting_places", full)
    monkeypatch.setattr("time.sleep", pytest.fail)
    client.force_login(alice)

    response = client.post(URL)

    assert response.status_code == 202


def test_a_session_needs_a_csrf_token_to_init(alice):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)

    response = client.post(URL)

    assert response.status_code == 403
    assert not Sandbox.objects.exists()


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_refused_as_json(client, alice, method):
    client.force_login(alice)

    response = getattr(client, method)(URL)

    assert response.status_code == 405
    assert json.loads(response.content)["error"]


def test_a_status_read_is_one_indexed_row(client, alices_sandbox, django_assert_num_queries):
    client.force_login(alices_sandbox.owner)
    client.get(URL)  # from here on the row is marked as watched

    with django_assert_num_queries(3):  # the session, the user, the sandbox
        client.get(URL)


def test_there_is_a_description_of_the_api(client, db):
    schema = client.get("/api/schema").content
    assert b"/api/sandbox/init" in schema
    assert b"/live/sandbox" in schema
