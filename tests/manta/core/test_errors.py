"""Every error has a stable code, and every code is explained."""

import json

import pytest
from django.test import Client
from rest_framework import exceptions

from manta.core.error_codes import catalog
from manta.core.errors import UserFacingError
from sandboxes import errors
from tests.support.factories import SandboxFactory

EXPLAINED = {item.code for codes in catalog.GROUPS.values() for item in codes}
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
    codes = [item.code for group in catalog.GROUPS.values() for item in group]

    assert len(codes) == len(set(codes))


def test_the_document_is_what_the_product_shows():
    assert catalog.PAGE.read_text() == catalog.markdown(), "run: python -m manta.core.error_codes"


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


@pytest.fixture
def signed_in_anew(alice):
    """A browser in which she has signed in again since a page was loaded."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    client.cookies["csrftoken"] = "n" * 32
    return client


OLD = "o" * 32
PAGE = "http://testserver/account/"
SENT = {"data": {}, "content_type": "application/json"}


@pytest.mark.parametrize(
    ("referer", "page"), [(PAGE, PAGE), ("http://evil.example/", "/"), ("javascript:x", "/")]
)
def test_a_form_of_an_older_session_leads_back_to_its_page(signed_in_anew, referer, page):
    response = signed_in_anew.post(
        "/sandbox/refresh/", {"csrfmiddlewaretoken": OLD}, headers={"Referer": referer}
    )

    assert response.status_code == 403
    assert "from before you signed in again" in response.text
    assert f'<a class="button primary" href="{page}">Reload</a>' in response.text


def test_in_the_previews_frame_it_may_be_shown(signed_in_anew):
    response = signed_in_anew.post("/sandbox/open/3000/?frame=1", {"csrfmiddlewaretoken": OLD})

    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in response["Content-Security-Policy"]
    assert "data-outdated" in response.text


def test_htmx_is_told_that_the_page_is_of_an_older_session(signed_in_anew):
    headers = {"HX-Request": "true", "X-CSRFToken": OLD}

    response = signed_in_anew.post("/sandbox/refresh/", headers=headers)

    assert (response.status_code, response["HX-Trigger"]) == (403, "page:outdated")


def test_a_script_is_told_that_the_page_is_of_an_older_session(signed_in_anew):
    response = signed_in_anew.post("/api/sandbox/init", **SENT, headers={"X-CSRFToken": OLD})

    told = response.json()
    assert (response.status_code, told["code"]) == (403, "csrf_failed")
    assert told["error"] == "This page is from before you signed in again."


def test_a_script_without_a_proof_reads_why(signed_in_anew):
    told = signed_in_anew.post("/api/sandbox/init", **SENT).json()

    assert told["error"] == "CSRF Failed: CSRF token missing."


def test_a_bug_names_its_request(client, alice, monkeypatch):
    monkeypatch.setattr("sandboxes.presenters.panel.Panel.of", lambda *args: 1 / 0)
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

    monkeypatch.setattr("sandboxes.services.row_updates.refresh_sandbox", refused)
    client.force_login(alices_sandbox.owner)

    response = client.post("/sandbox/refresh/", headers={"HX-Request": "true"})

    assert response.status_code == 503
    assert 'href="/help/errors/#provider_unavailable"' in response.text


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "options"])
@pytest.mark.parametrize("path", ["/api/nowhere", "/api/sandbox/", "/api", "/api/", "/api/é/x"])
def test_an_unknown_address_of_the_api_is_told_to_programs(client, db, method, path):
    response = getattr(client, method)(path)

    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert response.json()["help"].endswith("/help/errors/#not_found")


@pytest.mark.parametrize("kind", ["xml", "api", "csv", "%00"])
def test_a_format_that_there_is_not_is_told_to_programs(client, alices_sandbox, kind):
    client.force_login(alices_sandbox.owner)

    response = client.get(f"/api/sandbox?format={kind}")

    assert (response.status_code, response.json()["code"]) == (406, "not_acceptable")
    assert "format" in response.json()["error"]


def test_an_accept_header_that_cannot_be_read_is_told(client, alices_sandbox):
    client.force_login(alices_sandbox.owner)

    response = client.get("/api/sandbox", headers={"Accept": "application/json; q*=nope''x"})

    assert (response.status_code, response.json()["code"]) == (406, "not_acceptable")


def test_a_cursor_that_there_is_not_has_a_code(client, alices_sandbox):
    client.force_login(alices_sandbox.owner)

    response = client.get("/api/sandbox/events?cursor=nothing")

    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_a_bug_in_the_api_is_told_to_programs(client, alices_sandbox, monkeypatch):
    monkeypatch.setattr("sandboxes.api.actions.own", lambda request: 1 / 0)
    client.raise_request_exception = False
    client.force_login(alices_sandbox.owner)

    response = client.get("/api/sandbox")

    assert (response.status_code, response.json()["code"]) == (500, "internal")
    assert response["X-Request-ID"] in response.json()["error"]


def test_a_host_that_is_not_mantas_is_told_to_programs(client, db):
    response = client.get("/api/sandbox", headers={"Host": "evil.example"})

    assert (response.status_code, response.json()["code"]) == (400, "invalid")


MANY_FIELDS = "&".join(f"a{number}=1" for number in range(2000))
BOUNDARIES = ["", "; boundary=", f"; boundary={'x' * 300}", "; boundary=\xe9"]


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_a_form_that_can_not_be_read_is_no_bug_where_there_is_nothing(db, boundary):
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.get("/accounts/login/")

    response = client.post("/nothing", b"a=1", content_type=f"multipart/form-data{boundary}")

    assert response.status_code == 400


@pytest.mark.parametrize("path", ["/nothing", "/sandbox/open/3000/", "/accounts/login/"])
def test_a_query_of_very_many_fields_is_no_bug(client, alices_sandbox, path):
    client.force_login(alices_sandbox.owner)
    client.raise_request_exception = False

    assert client.get(f"{path}?{MANY_FIELDS}").status_code == 400
