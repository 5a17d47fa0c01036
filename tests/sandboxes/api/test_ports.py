"""/api/sandbox/ports and /api/sandbox/previews, and the pages of the same services."""

from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from sandboxes.models import PublicPort
from tests.support.factories import SandboxFactory

PUBLIC = "/api/sandbox/ports/3000/public"
PAGE = "/workspace/inside/ports/3000/public/"
PRIVATE_PAGE = "/workspace/inside/ports/3000/private/"


@pytest.fixture
def owner(client, serving):
    client.force_login(serving.owner)
    return client


@pytest.fixture
def signed_in(client, alices_sandbox):
    client.force_login(alices_sandbox.owner)
    return client


def put(client, path, body):
    return client.put(path, body, content_type="application/json")


def test_the_starters_port_is_listed_with_its_process(owner):
    (port,) = owner.get("/api/sandbox/ports").json()["ports"]

    assert (port["port"], port["address"], port["reason"]) == (3000, "0.0.0.0", None)
    assert port["process"].startswith(("python", "node"))
    assert port["public"] is None


def test_without_waking_it_says_asleep(client, alice):
    SandboxFactory(owner=alice, provider_state="STANDBY")
    client.force_login(alice)

    (port,) = client.get("/api/sandbox/ports?wake=false").json()["ports"]

    assert (port["port"], port["reason"]) == (3000, "asleep")


def test_a_port_is_made_public_listed_so_and_made_private(owner):
    made_public = put(owner, PUBLIC, {"expiresIn": 3600})

    assert made_public.status_code == 200
    assert made_public.json()["public"]["until"].endswith("Z")
    assert owner.get("/api/sandbox/ports").json()["ports"][0]["public"]
    assert owner.get("/api/sandbox/previews").json()["previews"][0]["public"] is True

    assert owner.delete(PUBLIC).json() == {"port": 3000, "public": None}
    assert owner.get("/api/sandbox/previews").json()["previews"][0]["public"] is False


@pytest.mark.parametrize("body", [{}, {"expiresIn": 1}, {"expiresIn": "x"}, {"expiresIn": 10**9}])
def test_for_how_long_has_to_be_said(signed_in, body):
    answer = put(signed_in, PUBLIC, body)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert not PublicPort.objects.exists()


def test_a_reserved_port_has_a_code_of_its_own(signed_in):
    answer = put(signed_in, "/api/sandbox/ports/8080/public", {"expiresIn": None})

    assert (answer.status_code, answer.json()["code"]) == (400, "port_reserved")


@pytest.mark.parametrize("path", ["/api/sandbox/ports", "/api/sandbox/previews", PUBLIC])
def test_who_is_not_signed_in_is_unauthorized(client, db, path):
    answer = client.delete(path) if path == PUBLIC else client.get(path)

    assert (answer.status_code, answer.json()) == (401, {"error": "Unauthorized"})


def test_a_strangers_ports_are_not_there(client, alices_sandbox, bob):
    client.force_login(bob)

    assert client.get("/api/sandbox/ports").status_code == 404
    assert put(client, PUBLIC, {"expiresIn": 60}).status_code == 404
    assert client.post(PAGE, {"hours": "1"}).status_code == 404
    assert client.post("/sandbox/open/3000/").status_code == 404


def test_a_session_needs_a_csrf_token(alices_sandbox):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alices_sandbox.owner)

    assert put(client, PUBLIC, {"expiresIn": 60}).status_code == 403
    assert client.post(PAGE, {"hours": "1"}).status_code == 403
    assert not PublicPort.objects.exists()


def test_the_page_says_what_public_means_and_asks_for_how_long(signed_in):
    page = signed_in.get(PAGE)

    assert "Anyone with the address can open what runs on this port" in page.text
    assert signed_in.post(PAGE, {"x": "1"}).status_code == 422
    assert signed_in.get(PRIVATE_PAGE).status_code == 405
    assert not PublicPort.objects.exists()


def test_the_dialog_is_the_same_page_without_its_frame(signed_in):
    dialog = signed_in.get(PAGE, headers={"HX-Request": "true"})

    assert "<html" not in dialog.text
    assert "Make port 3000 public?" in dialog.text


def test_a_person_makes_a_port_public_and_private(owner):
    assert owner.post(PAGE, {"hours": "8"})["Location"] == "/workspace/"
    assert "Public until" in owner.get("/workspace/inside/ports/?look").text

    answer = owner.post(PRIVATE_PAGE, headers={"HX-Request": "true"})

    assert answer.status_code == 204
    assert "ports:public" in answer["HX-Trigger"]
    assert not PublicPort.objects.exists()


def test_the_panel_lists_what_is_public_and_how_to_end_it(signed_in, alices_sandbox):
    fields = {"sandbox": alices_sandbox, "url": "http://x.example"}
    PublicPort.objects.create(port=3000, until=None, **fields)
    PublicPort.objects.create(port=4000, until=timezone.now(), **fields)

    panel = signed_in.get("/sandbox/panel/").text

    assert PRIVATE_PAGE in panel
    assert "/ports/4000/" not in panel


def test_the_list_of_ports_is_drawn_without_waking(signed_in):
    page = signed_in.get("/workspace/inside/ports/", headers={"HX-Request": "true"})

    assert page.status_code == 200  # its sandbox's address answers nothing
    assert "3000" in page.text


def test_an_open_port_leads_away_with_303_and_no_referrer(owner):
    answer = owner.post("/sandbox/open/3000/", {"path": "//evil.example/x"})

    assert answer.status_code == 303
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "/evil.example/x?bl_preview_token=" in answer["Location"]
    assert "//evil" not in answer["Location"]


def test_a_preview_on_mantas_own_origin_is_refused(owner, settings):
    host = urlsplit(owner.post("/sandbox/open/3000/")["Location"]).netloc
    settings.ALLOWED_HOSTS = [host.partition(":")[0]]

    answers = [
        owner.post(path, headers={"Host": host})
        for path in ("/sandbox/open/3000/", "/sandbox/open/3000/?frame=1")
    ]

    assert [answer.status_code for answer in answers] == [502, 502]
    assert all("own address" in answer.text for answer in answers)
    assert not any("bl_preview_token" in f"{answer.headers}{answer.text}" for answer in answers)
