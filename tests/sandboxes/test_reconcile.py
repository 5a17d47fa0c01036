"""The reconciler against the real SDK and a real local_blaxel, well and ill."""

from datetime import timedelta

import pytest
from django.utils import timezone

from sandboxes import errors, gateway, services, watch
from sandboxes.models import Heartbeat, Phase, Sandbox, SandboxEvent
from sandboxes.reconcile import reconcile
from tests.factories import SandboxFactory, UserFactory, pending
from tests.local_blaxel.running import until

CREATE = ("POST", "/sandboxes")


@pytest.fixture
def wanted(alice, provider):
    """Alice's sandbox, asked for and not made yet."""
    return SandboxFactory(owner=alice, **pending())


@pytest.fixture
def made(wanted):
    reconcile(wanted.pk)
    wanted.refresh_from_db()
    assert wanted.phase == Phase.READY, wanted.error_message
    return wanted


def look_again(sandbox):
    """Have the reconciler look at the row now, whenever it meant to."""
    Sandbox.objects.filter(pk=sandbox.pk).update(next_attempt_at=timezone.now())
    reconcile(sandbox.pk)
    sandbox.refresh_from_db()


def record_at_provider(provider, sandbox):
    return provider.server.get(sandbox.name)


# ---- Well


def test_a_sandbox_is_made_with_a_starter_that_answers_on_its_port(made, provider):
    server = provider.server
    page = server.http.get(server.inside(made.name, "/port/3000/"))
    readme = server.http.get(server.inside(made.name, "/filesystem//blaxel/app/README.md"))

    assert page.status_code == 200
    assert "It&rsquo;s running." in page.text
    assert "first five minutes" in readme.json()["content"]
    assert record_at_provider(provider, made)["metadata"]["labels"] == made.labels


def test_the_row_says_what_the_provider_says(made, provider):
    record = record_at_provider(provider, made)

    made.owner.refresh_from_db()
    assert made.url == record["metadata"]["url"]
    assert made.provider_status == "DEPLOYED"
    assert made.owner.sandbox_created_at == made.provider_created_at
    assert made.expires_at == services.expiry_of(made).replace(microsecond=0)
    assert SandboxEvent.objects.filter(action="ready", actor_kind="job").exists()


def test_only_the_configured_ports_have_a_preview_and_it_is_private(made, provider):
    previews = provider.server.http.get(f"/v0/sandboxes/{made.name}/previews").json()

    assert [(p["spec"]["port"], p["spec"]["public"]) for p in previews] == [(3000, False)]


def test_looking_again_makes_nothing_again(made, provider):
    look_again(made)

    assert provider.count(*CREATE) == 1


def test_the_sandbox_of_a_lost_row_is_found_and_its_files_are_kept(made, provider):
    server, name = provider.server, made.name
    mine = server.inside(name, "/filesystem//blaxel/app/public/index.html")
    server.http.put(mine, json={"content": "mine"})
    owner = made.owner
    made.delete()

    again = SandboxFactory(owner=owner, **pending())
    reconcile(again.pk)

    again.refresh_from_db()
    assert again.phase == Phase.READY
    assert server.http.get(mine).json()["content"] == "mine"


def test_use_moves_the_expiry_at_the_provider(made, provider):
    later = timezone.now() + timedelta(hours=3)
    Sandbox.objects.update(used_at=later)

    look_again(made)

    policy = record_at_provider(provider, made)["spec"]["lifecycle"]["expirationPolicies"][0]
    assert policy["value"] == (later + made.ttl).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert made.expires_at > timezone.now() + timedelta(hours=26)


# ---- Whose it is


@pytest.mark.filterwarnings("ignore:.*already exists")
def test_a_sandbox_with_anothers_label_is_left_alone(wanted, provider):
    spec = {"metadata": {"name": wanted.name, "labels": {"manta-owner": "999"}}, "spec": {}}
    provider.server.http.post("/v0/sandboxes", json=spec)

    reconcile(wanted.pk)

    wanted.refresh_from_db()
    assert (wanted.phase, wanted.error_code) == (Phase.FAILED, "wrong_owner")
    assert wanted.url == ""
    assert provider.server.http.get(provider.server.inside(wanted.name, "/process")).json() == []


@pytest.mark.filterwarnings("ignore:.*already exists")
def test_a_sandbox_older_than_its_user_is_not_theirs(wanted, provider):
    labels = {"manta-owner": str(wanted.owner.pk)}
    spec = {"metadata": {"name": wanted.name, "labels": labels}, "spec": {}}
    provider.server.http.post("/v0/sandboxes", json=spec)
    wanted.owner.date_joined = timezone.now() + timedelta(hours=1)
    wanted.owner.save()

    reconcile(wanted.pk)

    wanted.refresh_from_db()
    assert wanted.error_code == "wrong_owner"


def test_deleting_never_deletes_anothers_sandbox(wanted, provider):
    spec = {"metadata": {"name": wanted.name, "labels": {"manta-owner": "999"}}, "spec": {}}
    provider.server.http.post("/v0/sandboxes", json=spec)
    services.delete_sandbox(sandbox=wanted, actor=None)

    reconcile(wanted.pk)

    assert not Sandbox.objects.exists()
    assert record_at_provider(provider, wanted)["status"] == "DEPLOYED"


def test_user_1_and_user_11_have_sandboxes_of_their_own(provider, db):
    first = SandboxFactory(owner=UserFactory(pk=1001), **pending())
    other = SandboxFactory(owner=UserFactory(pk=10011), **pending())

    reconcile(first.pk)
    reconcile(other.pk)

    first.refresh_from_db()
    other.refresh_from_db()
    assert first.url.endswith("/user-1001")
    assert other.url.endswith("/user-10011")


# ---- When the provider is ill


def test_a_create_whose_answer_was_lost_is_adopted_and_not_made_twice(wanted, provider):
    provider.loses_answer(*CREATE)
    reconcile(wanted.pk)
    wanted.refresh_from_db()
    assert (wanted.phase, wanted.error_code) == (Phase.PENDING, "provider_unavailable")

    look_again(wanted)

    assert wanted.phase == Phase.READY
    assert provider.server.names() == [wanted.name]


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503])
def test_a_passing_failure_is_tried_again(wanted, provider, status):
    body = {"code": "SERVICE_UNAVAILABLE", "message": "no", "error": "no"}
    provider.fails(*CREATE, status, body)

    reconcile(wanted.pk)
    wanted.refresh_from_db()
    assert wanted.phase == Phase.PENDING
    assert wanted.attempts == 1
    assert wanted.next_attempt_at > timezone.now()

    look_again(wanted)
    assert wanted.phase == Phase.READY
    assert wanted.error_code == ""


def test_an_answer_that_is_no_json_is_a_passing_failure(made, provider):
    provider.fails("GET", f"/sandboxes/{made.name}", 200, b"<html>gateway</html>")

    look_again(made)

    assert made.phase == Phase.READY
    assert made.error_code == "provider_unavailable"


def test_retry_after_is_honoured(made, provider):
    services.delete_sandbox(sandbox=made, actor=None)
    provider.fails("GET", "/sandboxes/", 429, {"error": "slow down"}, headers={"Retry-After": "60"})

    reconcile(made.pk)

    made.refresh_from_db()
    assert made.next_attempt_at > timezone.now() + timedelta(seconds=55)


def test_the_wait_between_attempts_grows_and_is_bounded(wanted, provider):
    Sandbox.objects.update(attempts=30)
    provider.fails(*CREATE, 503, {"code": "X", "message": "no"})

    reconcile(wanted.pk)

    wanted.refresh_from_db()
    wait = wanted.next_attempt_at - timezone.now()
    assert timedelta(seconds=5) < wait < timedelta(seconds=16)


def test_past_its_deadline_it_fails_with_a_reason_and_retry_helps(wanted, provider):
    Sandbox.objects.update(settle_by=timezone.now() - timedelta(seconds=1))
    with provider.down():
        reconcile(wanted.pk)
    wanted.refresh_from_db()
    assert (wanted.phase, wanted.error_code) == (Phase.FAILED, "provider_unavailable")
    assert SandboxEvent.objects.get(action="gave up").outcome == "provider_unavailable"

    services.initialize_sandbox(user=wanted.owner)
    reconcile(wanted.pk)

    wanted.refresh_from_db()
    assert wanted.phase == Phase.READY


def test_a_row_that_waited_long_for_a_worker_still_gets_its_try(wanted, provider):
    Sandbox.objects.update(settle_by=timezone.now() - timedelta(hours=1))

    reconcile(wanted.pk)

    wanted.refresh_from_db()
    assert wanted.phase == Phase.READY


def test_an_image_that_the_provider_does_not_know_is_named_with_the_remedy(
    wanted, provider, settings
):
    settings.SANDBOX_IMAGE = "acme/nope:latest"
    Sandbox.objects.update(image="acme/nope:latest")

    reconcile(wanted.pk)

    wanted.refresh_from_db()
    assert (wanted.phase, wanted.error_code) == (Phase.FAILED, "unknown_image")
    assert "acme/nope:latest" in wanted.error_message
    assert "SANDBOX_IMAGE" in wanted.error_message
    assert "manage.py images" in wanted.error_message


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (401, "UNAUTHORIZED", "bad_credentials"),
        (403, "UNAUTHORIZED_WORKSPACE", "bad_credentials"),
        (403, "QUOTA_EXCEEDED", "quota_exceeded"),
        (402, "USAGE_LIMIT_EXCEEDED", "quota_exceeded"),
        (400, "INVALID_REGION", "provider_rejected"),
    ],
)
def test_a_refusal_fails_at_once_with_a_code_of_its_own(wanted, provider, status, code, expected):
    body = {"code": code, "message": "secret detail", "error": code, "status_code": status}
    provider.fails(*CREATE, status, body, times=5)

    reconcile(wanted.pk)

    wanted.refresh_from_db()
    assert (wanted.phase, wanted.error_code) == (Phase.FAILED, expected)
    assert "secret detail" not in wanted.error_message


def test_a_bug_is_not_shown_and_is_tried_again(wanted, provider, monkeypatch):
    def broken(*args):
        raise ZeroDivisionError("an inside matter")

    monkeypatch.setattr("sandboxes.reconcile.starters.current", broken)

    reconcile(wanted.pk)

    wanted.refresh_from_db()
    assert (wanted.phase, wanted.error_code) == (Phase.PENDING, "internal")
    assert "inside matter" not in wanted.error_message
    assert wanted.lease_holder is None


# ---- Deleted


def test_one_deleted_behind_our_back_is_gone_and_its_address_with_it(made, provider):
    provider.server.http.delete(f"/v0/sandboxes/{made.name}")

    look_again(made)

    assert (made.phase, made.error_code, made.url) == (Phase.GONE, "deleted", "")


def test_one_that_expired_says_so(made, provider):
    provider.server.http.delete(f"/v0/sandboxes/{made.name}")
    Sandbox.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    look_again(made)

    assert made.error_code == "expired"


def test_a_gone_one_can_be_recreated(made, provider):
    provider.server.http.delete(f"/v0/sandboxes/{made.name}")
    look_again(made)

    services.initialize_sandbox(user=made.owner)
    reconcile(made.pk)

    made.refresh_from_db()
    assert made.phase == Phase.READY
    assert provider.server.http.get(provider.server.inside(made.name, "/port/3000/")).is_success


def test_deletion_goes_on_until_the_sandbox_is_gone(made, provider):
    services.delete_sandbox(sandbox=made, actor=made.owner)
    with provider.down():
        look_again(made)
        assert made.phase == Phase.DELETING

    reconcile_until_gone(made)

    made.owner.refresh_from_db()
    assert made.owner.sandbox is None
    assert provider.server.names() == []
    assert SandboxEvent.objects.filter(action="deleted").exists()


def reconcile_until_gone(sandbox):
    def gone():
        Sandbox.objects.update(next_attempt_at=timezone.now())
        reconcile(sandbox.pk)
        return not Sandbox.objects.filter(pk=sandbox.pk).exists()

    until(gone)


def test_a_deletion_asked_for_during_a_create_is_not_lost(wanted, provider, monkeypatch):
    create = gateway.create_if_not_exists

    def create_and_delete(spec):
        record = create(spec)
        services.delete_sandbox(sandbox=Sandbox.objects.get(), actor=None)
        return record

    monkeypatch.setattr(gateway, "create_if_not_exists", create_and_delete)
    reconcile(wanted.pk)
    assert Sandbox.objects.get().phase == Phase.DELETING

    reconcile_until_gone(wanted)

    assert provider.server.names() == []


def test_the_row_of_a_deleted_user_goes_with_its_sandbox(made, provider):
    services.delete_account(user=made.owner)

    reconcile_until_gone(made)

    assert provider.server.names() == []


# ---- The starter's server


def starter_status(provider, sandbox):
    server = provider.server
    return [p["status"] for p in server.http.get(server.inside(sandbox.name, "/process")).json()]


def test_the_starter_is_started_again_after_the_sandbox_restarted(made, provider):
    # What a restart leaves: the files, and no process.
    envs = [{"name": "CHANGED", "value": "yes"}]
    record = record_at_provider(provider, made)
    record["spec"]["runtime"]["envs"] = envs
    provider.server.http.put(f"/v0/sandboxes/{made.name}", json=record).raise_for_status()
    assert "running" not in starter_status(provider, made)

    look_again(made)

    assert starter_status(provider, made) == ["running"]


def test_a_starter_that_its_owner_stopped_stays_stopped(made, provider):
    server = provider.server
    server.http.delete(server.inside(made.name, "/process/starter")).raise_for_status()

    look_again(made)

    assert "running" not in starter_status(provider, made)


# ---- Looking


def test_looking_does_not_wake(made, provider, client, admin_user):
    until(lambda: provider.server.sleeps(made.name))
    before = record_at_provider(provider, made)["lastUsedAt"]
    client.force_login(made.owner)

    for path in ("/workspace/", "/sandbox/panel/", "/sandbox/stage/", "/api/sandbox/init"):
        assert client.get(path).status_code == 200
    client.post("/sandbox/refresh/")
    watch.look(None)
    reconcile(made.pk)
    client.force_login(admin_user)
    assert client.get("/admin/sandboxes/sandbox/").status_code == 200
    client.get("/readyz")

    after = record_at_provider(provider, made)
    assert after["state"] == "STANDBY"
    assert after["lastUsedAt"] == before


def test_a_look_sees_that_it_fell_asleep(made, provider):
    until(lambda: provider.server.sleeps(made.name))

    watch.look(None)

    made.refresh_from_db()
    assert made.status == "standby"


def test_a_look_sees_that_it_is_gone(made, provider):
    provider.server.http.delete(f"/v0/sandboxes/{made.name}")

    watch.look(None)
    assert Sandbox.objects.due().get() == made
    reconcile(made.pk)

    made.refresh_from_db()
    assert made.phase == Phase.GONE


def test_only_watched_rows_are_looked_at_between_full_looks(made, provider):
    Sandbox.objects.update(watched_until=None)
    provider.calls.clear()

    watch.look(timezone.now())
    assert provider.calls == []

    services.watch(Sandbox.objects.get())
    watch.look(timezone.now())
    assert provider.calls == [("GET", "/sandboxes")]


def test_a_look_at_a_provider_that_is_down_changes_no_row(made, provider):
    with provider.down():
        watch.look(None)

    made.refresh_from_db()
    assert made.phase == Phase.READY
    assert Heartbeat.of("provider").is_failing


def test_one_odd_sandbox_does_not_hide_the_others(made, provider):
    record = record_at_provider(provider, made)
    odd = {"metadata": {"name": "odd"}, "spec": {}, "status": "SOMETHING_NEW", "state": "NEW"}
    page = {"data": [odd, {**record, "state": "STANDBY"}], "meta": {"hasMore": False}}
    provider.fails("GET", "/sandboxes", 200, page)

    watch.look(None)

    made.refresh_from_db()
    assert made.status == "standby"


# ---- Opening a port


def test_open_leads_to_the_starter_by_a_link_with_a_token(made, provider):
    import httpx

    link = services.open_port(sandbox=made, port=3000, actor=made.owner)

    assert "bl_preview_token=" in link
    assert "It&rsquo;s running." in httpx.get(link).text
    assert httpx.get(link.partition("?")[0]).status_code == 401


def test_open_of_a_port_on_which_nothing_listens_says_what_to_do(made, provider):
    provider.server.http.delete(provider.server.inside(made.name, "/process/starter"))
    Sandbox.objects.update(starter_written_at=None)
    made.refresh_from_db()

    with pytest.raises(errors.PortClosed, match=r"Nothing listens on port 3000.*0\.0\.0\.0"):
        services.open_port(sandbox=made, port=3000, actor=made.owner)
