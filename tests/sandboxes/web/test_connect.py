"""Connecting an agent: what each client is told, a real test, and who is connected."""

import re

import httpx
import pytest

from accounts.models import PersonalToken
from sandboxes.models import Sandbox, ToolCall
from sandboxes.presenters.mcp_client_presets import CLIENTS
from tests.support.factories import make_token
from tests.support.supervisor import free_port
from tests.support.waiting import wait_until
from tests.support.web_process import cookie_of

URL = "/sandbox/connect/"


@pytest.fixture
def person(client, alices_sandbox):
    client.force_login(alices_sandbox.owner)
    return client


@pytest.mark.parametrize("slug", [client.slug for client in CLIENTS])
def test_each_client_is_told_this_mantas_address_both_ways(person, slug):
    text = person.get(URL, {"client": slug}).text

    assert text.count("http://localhost:8000/mcp") >= 6
    assert f'id="pick-{slug}"' in text
    assert "{url}" not in text


def test_a_client_that_there_is_not_is_not_found(person):
    assert person.get(URL, {"client": "toaster"}).status_code == 404


def test_htmx_gets_the_part_that_it_asks_for(person):
    headers = {"HX-Request": "true", "HX-Target": "client"}

    client = person.get(URL, {"client": "codex"}, headers=headers).text
    who = person.get(URL, headers=headers | {"HX-Target": "connections"}).text

    assert "bearer_token_env_var" in client and 'id="connections"' not in client
    assert 'id="connections"' in who and 'id="client"' not in who


def test_who_is_connected_is_listed_with_their_last_call(person, alice, bob):
    make_token(alice, "mcp", name="Laptop")
    make_token(alice, "sandbox:read", name="No agent")
    make_token(bob, "mcp", name="Of Bob")
    key = PersonalToken.objects.get(name="Laptop").key
    call = {"owner": alice, "agent_key": key, "outcome": "ok", "duration_ms": 1}
    ToolCall.objects.create(tool="fsReadFile", **call)
    ToolCall.objects.create(tool="processExecute", **call)

    who = person.get(URL, headers={"HX-Request": "true", "HX-Target": "connections"}).text

    assert "Laptop" in who and "<code>processExecute</code>" in who
    assert "fsReadFile" not in who and "No agent" not in who and "Of Bob" not in who


def test_a_stranger_signs_in_first(client, db):
    assert client.get(URL).status_code == client.post(f"{URL}test/").status_code == 302


def test_a_test_is_not_made_by_a_link(person):
    assert person.get(f"{URL}test/").status_code == 405


def test_where_no_server_runs_the_test_says_so(person):
    text = person.post(f"{URL}test/", headers={"HX-Request": "true"}).text

    assert "provider_unavailable" in text and "It works" not in text


def _test(web, person):
    session = cookie_of(person).partition("=")[2]
    return httpx.post(
        f"{web.url}{URL}test/",
        cookies={"sessionid": session, "csrftoken": "c" * 32},
        headers={"HX-Request": "true", "X-CSRFToken": "c" * 32},
        trust_env=False,
        timeout=60,
    )


@pytest.mark.exhaustive
def test_the_test_is_a_real_call(web, made):
    answer = _test(web, made.owner)

    assert "It works" in answer.text, answer.text
    assert re.search(r"<code>tools/list</code></dt><dd>2\d tools", answer.text)
    assert wait_until(lambda: ToolCall.objects.filter(tool="sandboxStatus", outcome="ok").exists())
    assert ToolCall.objects.get().owner == made.owner


def test_a_sandbox_that_is_away_is_an_answer_and_no_traceback(web, made):
    Sandbox.objects.filter(pk=made.pk).update(data_url=f"http://127.0.0.1:{free_port()}/sandbox")

    answer = _test(web, made.owner)

    assert answer.status_code == 200
    assert "is not answering" in answer.text and "It works" not in answer.text
