"""Which terminals there are: opened, named and closed over the API."""

import pytest

from sandboxes.models import Terminal
from tests.support.factories import SandboxFactory

URL = "/api/sandbox/terminals"
pytestmark = [pytest.mark.data_plane, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def client(client, alice):
    client.force_login(alice)
    return client


def add(client, **fields):
    return client.post(URL, fields, content_type="application/json")


def names(client):
    return [each["name"] for each in client.get(URL).json()["terminals"]]


def test_they_are_numbered_and_named(client, alices_sandbox):
    first, _ = add(client).json(), add(client)
    client.delete(f"{URL}/{first['key']}")
    add(client, name="server")
    renamed = client.patch(
        f"{URL}/{Terminal.objects.last().key}", {"name": "logs"}, content_type="application/json"
    )

    assert renamed.json()["name"] == "logs"
    assert "Terminal 2" in names(client)
    assert "logs" in names(client)


def test_there_are_not_more_than_there_may_be(client, alices_sandbox):
    answers = [add(client).status_code for _ in range(13)]

    assert answers == [201] * 12 + [429]


@pytest.mark.parametrize("name", ["x" * 41, ["a"], "\x00"])
def test_a_name_that_is_none_is_refused(client, alices_sandbox, name):
    assert add(client, name=name).status_code == 400


def test_another_persons_are_not_there(client, alices_sandbox, bob):
    bobs = Terminal.objects.create(sandbox=SandboxFactory(owner=bob), name="bobs")

    assert names(client) == []
    assert client.delete(f"{URL}/{bobs.key}").status_code == 404
    assert client.patch(f"{URL}/{bobs.key}").status_code == 404


def test_closing_ends_the_shell(client, connected, key):
    page = connected(key)
    page.types("echo he'r'e\r")
    page.sees("here")

    response = client.delete(f"{URL}/{key}")

    assert response.status_code == 204, response.text
    assert page.ends() == (1000, "ended")
    assert names(client) == []


def test_what_runs_in_it_is_named_and_ends_only_when_it_may(client, connected, key):
    page = connected(key)
    page.types("echo st'art'ed; sleep 1000\r")
    page.sees("started")

    asked = client.delete(f"{URL}/{key}")
    forced = client.delete(f"{URL}/{key}?force=true")

    assert (asked.status_code, asked.json()["code"]) == (409, "terminal_in_use")
    assert "sleep still runs in Terminal 1" in asked.json()["error"]
    assert forced.status_code == 204
    assert page.ends() == (1000, "ended")


def test_what_ignores_a_hangup_ends_too(client, connected, key):
    page = connected(key)
    page.types("trap '' HUP; echo st'uc'k; exec sh -c 'while :; do sleep 1; done'\r")
    page.sees("stuck")

    response = client.delete(f"{URL}/{key}?force=true")

    assert response.status_code == 204, response.text
    assert page.ends() == (1000, "ended")


def test_when_the_sandbox_does_not_answer_the_terminal_stays(client, alices_sandbox):
    added = add(client).json()

    response = client.delete(f"{URL}/{added['key']}")

    assert response.status_code == 503
    assert names(client) == ["Terminal 1"]
