"""Every error has a stable code, and every code is explained."""

import json

import pytest
from django.test import Client
from rest_framework import exceptions

from manta import error_codes
from manta.errors import UserFacingError
from sandboxes import errors
from tests.factories import SandboxFactory

EXPLAINED = {item.code for codes in error_codes.GROUPS.values() for item in codes}
# Classes that are never raised themselves, or carry the code of something else.
ABSTRACT = {"error", "sandbox_error", "provider_error"}


def subclasses(cls):
    for sub in cls.__subclasses__():
        yield sub
        yield from subclasses(sub)


def test_every_error_of_ours_is_explained():
    codes = {cls.code for cls in subclasses(UserFacingError)} - ABSTRACT

    assert errors.PortClosed.code in codes
    assert codes <= EXPLAINED


def test_every_error_of_the_framework_is_explained():
    codes = {str(cls.default_code) for cls in subclasses(exceptions.APIException)}

    # These are answered with the contract's 401, and this with a page.
    assert codes - {"authentication_failed", "not_authenticated", "error"} <= EXPLAINED


def test_no_code_is_explained_twice():
    codes = [item.code for group in error_codes.GROUPS.values() for item in group]

    assert len(codes) == len(set(codes))


def test_the_document_is_what_the_product_shows():
    assert error_codes.PAGE.read_text() == error_codes.markdown(), (
        "run: python -m manta.error_codes"
    )


def test_anybody_can_read_what_a_code_means(client, db):
    response = client.get("/help/errors/")

    assert response.status_code == 200
    assert all(f'id="{code}"' in response.text for code in EXPLAINED)


@pytest.mark.parametrize(
    ("path", "code", "status"),
    [("/nowhere/", "not_found", 404), ("/sandbox/open/443/", "port_reserved", 400)],
)
def test_an_error_page_links_to_its_code_and_names_its_request(
    client, alices_sandbox, path, code, status
):
    client.force_login(alices_sandbox.owner)

    response = client.post(path)

    assert response.status_code == status
    assert f'href="/help/errors/#{code}"' in response.text
    assert response["X-Request-ID"] in response.text


def test_a_form_without_its_token_says_so(alice):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)

    response = client.post("/sandbox/refresh/")

    assert response.status_code == 403
    assert 'href="/help/errors/#csrf_failed"' in response.text


def test_a_bug_names_its_request(client, alice, monkeypatch):
    monkeypatch.setattr("sandboxes.panel.Panel.of", lambda *args: 1 / 0)
    client.raise_request_exception = False
    client.force_login(alice)

    response = client.get("/workspace/")

    assert response.status_code == 500
    assert 'href="/help/errors/#internal"' in response.text
    assert response["X-Request-ID"] in response.text


def test_an_error_of_the_api_links_to_its_code(client, alice):
    SandboxFactory(owner=alice, phase="deleting")
    client.force_login(alice)

    body = json.loads(client.post("/api/sandbox/init").content)

    assert body["code"] == "being_deleted"
    assert body["help"] == "http://testserver/help/errors/#being_deleted"


def test_an_error_in_a_notice_links_to_its_code(client, alices_sandbox, monkeypatch):
    def refused(**kwargs):
        raise errors.ProviderUnavailable("Nobody there.")

    monkeypatch.setattr("sandboxes.services.refresh_sandbox", refused)
    client.force_login(alices_sandbox.owner)

    response = client.post("/sandbox/refresh/", headers={"HX-Request": "true"})

    assert response.status_code == 503
    assert 'href="/help/errors/#provider_unavailable"' in response.text
