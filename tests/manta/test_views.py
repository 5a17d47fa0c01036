import json
import os
import subprocess
import sys

import pytest
from starlette.testclient import TestClient

from manta.asgi import application
from sandboxes.models import Heartbeat


def test_the_landing_page_is_for_who_is_signed_out(client, alice):
    assert client.get("/").status_code == 200

    client.force_login(alice)
    assert client.get("/").url == "/workspace/"


def test_readyz_says_what_works_and_when_the_provider_last_did(client, db):
    Heartbeat.note(Heartbeat.Subject.PROVIDER, ok=True)

    response = client.get("/readyz")

    body = json.loads(response.content)
    assert response.status_code == 200
    assert (body["database"], body["cache"]) == ("ok", "ok")
    assert body["provider"]["lastSuccess"]
    assert body["provider"]["failing"] is False
    assert body["provider"]["breaker"] == "closed"


def test_readyz_is_503_without_its_cache_and_healthz_is_not(client, db, monkeypatch):
    monkeypatch.setattr("operations.health.cache_works", lambda: False)

    assert client.get("/readyz").status_code == 503
    assert TestClient(application).get("/healthz").status_code == 200


def test_a_provider_that_is_down_does_not_make_manta_unready(client, db):
    Heartbeat.note(Heartbeat.Subject.PROVIDER, ok=False)

    response = client.get("/readyz")

    assert response.status_code == 200
    assert json.loads(response.content)["provider"]["failing"] is True


@pytest.mark.parametrize("path", ["/nowhere", "/workspace/nowhere/"])
def test_a_page_that_is_not_there_is_a_page_of_ours(client, db, path):
    response = client.get(path)

    assert response.status_code == 404
    assert "Manta" in response.text


def test_every_answer_names_its_request(client, db):
    first, second = client.get("/"), client.get("/")

    assert first["X-Request-ID"] != second["X-Request-ID"]


def test_a_bug_is_a_page_without_a_traceback(client, alice, monkeypatch):
    def broken(*args):
        raise ZeroDivisionError("an inside matter")

    monkeypatch.setattr("sandboxes.presenters.panel.Panel.of", broken)
    client.raise_request_exception = False
    client.force_login(alice)

    response = client.get("/workspace/")

    assert response.status_code == 500
    assert "inside matter" not in response.text


@pytest.mark.process
def test_the_sdk_is_not_imported_at_start_up():
    code = "import sys, django; django.setup(); import manta.urls; print('blaxel' in sys.modules)"
    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "manta.settings"}
    found = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )

    assert found.stdout.strip() == "False"


def test_an_address_with_a_newline_is_answered_as_any_other(db):
    """A pattern's end is before a newline, so that no route would match it."""
    browser = TestClient(application)

    program = browser.get("/api/sandbox/ports/%0a/public")
    page = browser.get("/nothing%0a")

    assert (program.status_code, program.json()["code"]) == (404, "not_found")
    assert (page.status_code, "<html" in page.text) == (404, True)
