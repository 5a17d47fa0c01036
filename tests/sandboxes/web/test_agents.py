"""What agents did, as their person reads it."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from sandboxes.models import SandboxEvent, ToolCall
from sandboxes.reconciler import retention
from tests.support.factories import SandboxFactory, make_token

URL = "/sandbox/agents/"


@pytest.fixture
def called(alices_sandbox):
    def called(tool="fsReadFile", owner=alices_sandbox.owner, ago=timedelta(), **fields):
        row = {
            "owner": owner,
            "sandbox_name": f"user-{owner.pk}",
            "agent_key": "0" * 16,
            "agent_name": "Laptop",
            "agent_kind": "token",
            "tool": tool,
            "arguments": json.dumps({"path": "/blaxel/app/<b>.py"}),
            "outcome": "ok",
            "duration_ms": 12,
            "created_at": timezone.now() - ago,
        }
        return ToolCall.objects.create(**row | fields)

    return called


def listed(person, **query):
    """The list alone: the panel beside it names the last call, too."""
    return person.get(URL, query, headers={"HX-Request": "true"}).text


@pytest.fixture
def person(client, alice):
    client.force_login(alice)
    return client


def test_a_person_reads_what_was_called(person, called):
    called(agent_name="Claude <i>")
    called("fsWriteFile", changed="/blaxel/app/new", outcome="ok")
    called("processExecute", outcome="refused", code="permission_denied")

    text = person.get(URL).text

    assert "Claude &lt;i&gt;" in text
    assert "/blaxel/app/&lt;b&gt;.py" in text
    assert "changed <code>/blaxel/app/new</code>" in text
    assert "<code>permission_denied</code>" in text


def test_without_any_it_says_what_will_be_there(person, alices_sandbox):
    assert "No agent has made a call yet" in person.get(URL).text
    assert "No calls yet" in person.get("/sandbox/agents/last/").text


def test_it_is_searched_by_agent_tool_text_and_outcome(person, called):
    called("fsReadFile")
    called("fsListDirectory", agent_name="Other", outcome="error")

    assert "fsListDirectory" not in listed(person, q="laptop readfile")
    assert "fsReadFile" not in listed(person, outcome="error")
    assert "Nothing matches" in listed(person, q="%_\0nowhere")
    assert "fsReadFile" in listed(person, outcome="' OR 1")


def test_htmx_gets_the_list_alone(person, called):
    called()

    text = listed(person)

    assert 'id="calls"' in text and "fsReadFile" in text
    assert "<html" not in text


def test_pages_go_on_where_the_one_before_ended(person, called):
    calls = [called(f"tool-{number}-") for number in range(60)]

    first, second = listed(person), listed(person, before=calls[10].pk)

    assert f"before={calls[10].pk}" in first
    assert "tool-10-" in first and "tool-9-" not in first
    assert "tool-9-" in second and "tool-10-" not in second
    assert 'hx-trigger="sandbox:call' not in second
    assert person.get(URL, {"before": "x"}).status_code == 404


def test_the_panel_names_the_last(person, called):
    called("fsReadFile")
    called("processExecute")

    assert "<code>processExecute</code>" in person.get("/sandbox/panel/").text
    assert "<code>processExecute</code>" in person.get("/sandbox/agents/last/").text


def test_all_of_it_is_exported_a_line_each(person, called):
    called("fsReadFile")
    called("fsWriteFile", changed="/a\n/b", arguments='{"cut": "x…')

    response = person.get(f"{URL}export/")

    read, wrote = map(json.loads, response.text.splitlines())
    assert read["arguments"] == {"path": "/blaxel/app/<b>.py"}
    assert wrote["changed"] == ["/a", "/b"]
    assert wrote["arguments"] == '{"cut": "x…'
    assert response["Content-Disposition"] == 'attachment; filename="manta-agents.jsonl"'


def test_programs_read_it_with_the_scope(client, alice, called):
    called("fsReadFile")
    called("fsListDirectory", outcome="error")
    token = make_token(alice, "sandbox:read")

    answer = client.get(
        "/api/sandbox/calls?outcome=ok&limit=1", headers={"Authorization": f"Bearer {token}"}
    ).json()

    (call,) = answer["results"]
    assert (call["tool"], call["durationMs"], call["agent"]) == ("fsReadFile", 12, "Laptop")


@pytest.mark.parametrize("number", ["Infinity", "-Infinity", "NaN"])
def test_no_call_makes_the_record_unreadable(client, person, alice, called, number):
    """An agent that sends 1e999 would hide all that it did."""
    called(arguments=f'{{"limit": {number}}}')
    bearer = f"Bearer {make_token(alice, 'sandbox:read')}"

    answer = client.get("/api/sandbox/calls", headers={"Authorization": bearer})

    assert answer.json()["results"][0]["arguments"] == {"limit": number}
    assert number in listed(person)


def test_bob_reads_nothing_of_alice(client, bob, called):
    called("fsReadFile")
    SandboxFactory(owner=bob)
    client.force_login(bob)

    assert "fsReadFile" not in client.get(URL).text
    assert "fsReadFile" not in client.get("/sandbox/panel/").text
    assert client.get(f"{URL}export/").content == b""
    assert client.get("/api/sandbox/calls").json()["results"] == []


@pytest.mark.parametrize("url", [URL, f"{URL}export/", f"{URL}last/"])
def test_a_stranger_signs_in_first_and_nobody_posts(client, alice, url):
    assert client.get(url).status_code == 302
    client.force_login(alice)

    assert client.post(url).status_code == 405


def test_what_is_older_than_it_is_to_be_kept_is_forgotten(called, settings):
    called("old", ago=timedelta(days=31))
    called("new", ago=timedelta(days=29))

    assert retention.forget_old_calls() == 1
    assert ToolCall.objects.get().tool == "new"
    settings.CALLS_RETENTION = timedelta(0)
    assert retention.forget_old_calls() == 0


def test_it_goes_with_the_account(called):
    called()

    User.objects.all().delete()

    assert not ToolCall.objects.exists()


def test_an_admin_who_reads_one_leaves_a_line(client, admin_user, called):
    call = called()
    client.force_login(admin_user)

    listed = client.get("/admin/sandboxes/toolcall/")
    assert "/blaxel/app/" not in listed.text
    opened = client.get(f"/admin/sandboxes/toolcall/{call.pk}/change/")

    assert "/blaxel/app/" in opened.text
    assert SandboxEvent.objects.get().action == "viewed"
    assert client.post(f"/admin/sandboxes/toolcall/{call.pk}/delete/").status_code == 403
