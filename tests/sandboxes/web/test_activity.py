import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from sandboxes import audit, services
from sandboxes.models import Action, SandboxEvent
from sandboxes.reconciler import retention
from tests.support.factories import SandboxFactory, UserFactory, make_token

URL = "/sandbox/activity/"


@pytest.fixture
def at(alices_sandbox):
    """Records something as if it had happened this long ago."""

    def at(ago, **fields):
        return SandboxEvent.objects.create(
            sandbox_name=alices_sandbox.name,
            owner=alices_sandbox.owner,
            actor_kind="job",
            action=Action.READY,
            created_at=timezone.now() - ago,
            **fields,
        )

    return at


def test_a_person_reads_what_was_done_to_their_sandbox(client, alices_sandbox):
    services.deletion.delete_sandbox(sandbox=alices_sandbox, actor=alices_sandbox.owner)
    audit.record(alices_sandbox, Action.DELETED)
    client.force_login(alices_sandbox.owner)

    text = client.get(URL).text

    assert "<strong>You</strong> requested the deletion of the sandbox" in text
    assert "<strong>Manta</strong> deleted the sandbox" in text


def test_bob_reads_nothing_of_alice(client, bob, alices_sandbox):
    audit.record(alices_sandbox, Action.DELETED)
    client.force_login(bob)

    assert "Nothing yet. What is done" in client.get(URL).text
    assert client.get("/sandbox/activity/export/").content == b""
    assert json.loads(client.get("/api/sandbox/events").content)["results"] == []


def test_what_a_token_did_names_the_token(client, alices_sandbox):
    token = make_token(alices_sandbox.owner, "sandbox:write", name="CI <b>")
    Client(headers={"Authorization": f"Bearer {token}"}).post("/api/sandbox/restart")
    client.force_login(alices_sandbox.owner)

    text = client.get(URL).text
    line = client.get("/api/sandbox/events").json()["results"][0]

    assert "<strong>Your token “CI &lt;b&gt;”</strong> requested a restart" in text
    assert (line["actor"], line["actorName"], line["ip"]) == ("token", "CI <b>", "127.0.0.1")


def test_what_a_session_does_next_is_no_tokens(client, alices_sandbox):
    token = make_token(alices_sandbox.owner, "sandbox:write")
    Client(headers={"Authorization": f"Bearer {token}"}).post("/api/sandbox/restart")
    client.force_login(alices_sandbox.owner)

    client.post("/sandbox/extend/")

    kinds = SandboxEvent.objects.order_by("pk").values_list("actor_kind", flat=True)
    assert list(kinds) == ["token", "user"]


def test_who_looked_is_named_also_after_their_account_is_gone(client, admin_user, alices_sandbox):
    audit.record(alices_sandbox, Action.VIEWED, actor=admin_user)
    User.objects.filter(pk=admin_user.pk).delete()
    client.force_login(alices_sandbox.owner)

    text = client.get(URL).text

    assert "<strong>admin@example.com (administrator)</strong> looked at the details" in text


def test_an_admin_who_looks_leaves_one_line_for_each_visit(client, admin_user, alices_sandbox):
    client.force_login(admin_user)
    page = f"/admin/sandboxes/sandbox/{alices_sandbox.pk}/change/"

    client.get(page)
    client.get(page)

    viewed = SandboxEvent.objects.get(owner=alices_sandbox.owner, action=Action.VIEWED)
    assert (viewed.actor, viewed.actor_kind) == (admin_user, "admin")
    assert viewed.ip == "127.0.0.1"


def test_ones_own_sandbox_can_be_looked_at_without_a_line(client, admin_user):
    own = SandboxFactory(owner=admin_user)
    client.force_login(admin_user)

    client.get(f"/admin/sandboxes/sandbox/{own.pk}/change/")

    assert not SandboxEvent.objects.exists()


def test_what_an_admin_does_is_recorded_as_an_admins(client, admin_user, alices_sandbox):
    client.force_login(admin_user)
    data = {"action": "refresh", "_selected_action": [alices_sandbox.pk]}

    client.post("/admin/sandboxes/sandbox/", data)

    event = SandboxEvent.objects.get(action=Action.REFRESHED)
    assert (event.actor_kind, event.owner) == ("admin", alices_sandbox.owner)


def test_older_entries_are_on_the_next_page(client, alices_sandbox, at):
    first = at(timedelta(days=1))
    for _ in range(50):
        at(timedelta(hours=1))
    client.force_login(alices_sandbox.owner)

    newest = client.get(URL).text
    older = newest.partition('href="?before=')[2].partition('"')[0]

    assert f'id="event-{first.pk}"' not in newest
    assert f'id="event-{first.pk}"' in client.get(f"{URL}?before={older}").text


@pytest.mark.parametrize("before", ["x", "-1", "1e3"])
def test_an_event_that_cannot_be_is_not_found(client, alice, before):
    client.force_login(alice)

    assert client.get(URL, {"before": before}).status_code == 404


def test_a_page_costs_as_much_with_many_entries(client, alices_sandbox, at):
    client.force_login(alices_sandbox.owner)
    at(timedelta(0))
    client.get(URL)  # which also notes that the session is used
    with CaptureQueriesContext(connection) as few:
        client.get(URL)
    for _ in range(60):
        at(timedelta(0))

    with CaptureQueriesContext(connection) as many:
        client.get(URL)

    assert len(many) == len(few)


def test_markup_in_an_entry_is_text(client, alices_sandbox, at):
    at(timedelta(0), reason="<script>alert(1)</script>", outcome='"><img src=x>')
    client.force_login(alices_sandbox.owner)

    text = client.get(URL).text

    assert "<script>alert(1)" not in text
    assert "<img src=x>" not in text


def test_an_action_that_is_no_longer_known_is_shown_by_its_code(client, alices_sandbox, at):
    SandboxEvent.objects.bulk_create(
        [SandboxEvent(owner=alices_sandbox.owner, actor_kind="job", action="danced")]
    )
    client.force_login(alices_sandbox.owner)

    assert "danced" in client.get(URL).text


def test_programs_read_it_page_by_page(client, alices_sandbox, at):
    oldest, newest = at(timedelta(days=1)), at(timedelta(0), detail="3000")
    client.force_login(alices_sandbox.owner)

    first = json.loads(client.get("/api/sandbox/events?limit=1").content)
    second = json.loads(client.get(first["next"]).content)

    assert [item["id"] for item in first["results"]] == [newest.pk]
    assert first["results"][0]["detail"] == "3000"
    assert [item["id"] for item in second["results"]] == [oldest.pk]


def test_an_admins_address_is_not_shown_to_the_owner(client, rf, admin_user, alices_sandbox):
    client.force_login(admin_user)
    client.get(f"/admin/sandboxes/sandbox/{alices_sandbox.pk}/change/", REMOTE_ADDR="192.0.2.7")
    client.force_login(alices_sandbox.owner)

    body = json.loads(client.get("/api/sandbox/events").content)

    assert body["results"][0]["actorName"] == "admin@example.com"
    assert "192.0.2.7" not in json.dumps(body)


def test_ones_own_record_can_be_taken_along(client, alices_sandbox, at):
    event = at(timedelta(0))
    client.force_login(alices_sandbox.owner)

    response = client.get("/sandbox/activity/export/")

    assert "attachment" in response["Content-Disposition"]
    assert [json.loads(line)["id"] for line in response.text.splitlines()] == [event.pk]


def test_an_admin_exports_what_they_choose(capsys, alices_sandbox, at):
    at(timedelta(days=3))
    chosen = at(timedelta(days=1))
    SandboxEvent.objects.create(owner=UserFactory(), actor_kind="job", action=Action.READY)
    since = (timezone.now() - timedelta(days=2)).isoformat()

    call_command("audit", since=since, owner="ALICE@example.com")

    [line] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (line["id"], line["owner"]) == (chosen.pk, "alice@example.com")


def test_nothing_that_is_recorded_can_be_changed(at):
    event = at(timedelta(0))

    with pytest.raises(TypeError):
        event.save()
    with pytest.raises(TypeError):
        event.delete()
    with pytest.raises(TypeError):
        SandboxEvent.objects.update(outcome="other")
    with pytest.raises(TypeError):
        SandboxEvent.objects.all().delete()


def test_the_record_outlives_its_owner(at):
    event = at(timedelta(0))

    event.owner.delete()

    event.refresh_from_db()
    assert event.owner is None


def test_old_entries_are_forgotten(at, settings):
    settings.AUDIT_RETENTION = timedelta(days=30)
    at(timedelta(days=31))
    kept = at(timedelta(days=29))

    assert retention.forget_old_events() == 1
    assert SandboxEvent.objects.get() == kept


def test_where_nothing_is_old_nothing_is_forgotten(at):
    at(timedelta(0))

    assert retention.forget_old_events() == 0
    assert SandboxEvent.objects.count() == 1


def test_without_retention_nothing_is_forgotten(at, settings):
    settings.AUDIT_RETENTION = timedelta(0)
    at(timedelta(days=10_000))

    assert retention.forget_old_events() == 0


def test_admins_search_the_record(client, admin_user, at):
    at(timedelta(0), request_id="abc123")
    client.force_login(admin_user)

    found = client.get("/admin/sandboxes/sandboxevent/?q=abc123")
    missed = client.get("/admin/sandboxes/sandboxevent/?q=abc124")

    assert "1 sandbox event" in found.text
    assert "0 sandbox events" in missed.text


def test_the_list_for_admins_costs_as_much_with_many_entries(client, admin_user, at):
    client.force_login(admin_user)
    at(timedelta(0))
    client.get("/admin/sandboxes/sandboxevent/")  # which also notes that the session is used
    with CaptureQueriesContext(connection) as few:
        client.get("/admin/sandboxes/sandboxevent/")
    for _ in range(120):
        at(timedelta(0))

    with CaptureQueriesContext(connection) as many:
        client.get("/admin/sandboxes/sandboxevent/")

    assert len(many) == len(few)
