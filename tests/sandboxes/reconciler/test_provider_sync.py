"""Looking at the provider: it keeps the rows true, and wakes nothing."""

from sandboxes import services
from sandboxes.models import Heartbeat, Phase, Sandbox
from sandboxes.reconciler import provider_sync
from sandboxes.reconciler.reconcile import reconcile
from tests.support.waiting import wait_until


def test_looking_does_not_wake(made, provider, client, admin_user, record_at_provider):
    wait_until(lambda: provider.server.sleeps(made.name))
    before = record_at_provider(made)["lastUsedAt"]
    client.force_login(made.owner)

    for path in ("/workspace/", "/sandbox/panel/", "/sandbox/stage/", "/api/sandbox/init"):
        assert client.get(path).status_code == 200
    client.post("/sandbox/refresh/")
    provider_sync.sync_all()
    reconcile(made.pk)
    client.force_login(admin_user)
    assert client.get("/admin/sandboxes/sandbox/").status_code == 200
    client.get("/readyz")

    after = record_at_provider(made)
    assert after["state"] == "STANDBY"
    assert after["lastUsedAt"] == before


def test_a_look_sees_that_it_fell_asleep(made, provider):
    wait_until(lambda: provider.server.sleeps(made.name))

    provider_sync.sync_all()

    made.refresh_from_db()
    assert made.status == "standby"


def test_a_look_sees_that_it_is_gone(made, provider):
    provider.server.http.delete(f"/v0/sandboxes/{made.name}")

    provider_sync.sync_all()
    assert Sandbox.objects.due().get() == made
    reconcile(made.pk)

    made.refresh_from_db()
    assert made.phase == Phase.GONE


def test_only_watched_rows_are_looked_at_between_full_looks(made, provider):
    Sandbox.objects.update(watched_until=None)
    provider.calls.clear()

    provider_sync.sync_watched()
    assert provider.calls == []

    services.row_updates.keep_fresh(Sandbox.objects.get())
    provider_sync.sync_watched()
    assert provider.calls == [("GET", "/sandboxes")]


def test_a_look_at_a_provider_that_is_down_changes_no_row(made, provider):
    with provider.down():
        provider_sync.sync_all()

    made.refresh_from_db()
    assert made.phase == Phase.READY
    assert Heartbeat.of("provider").is_failing


def test_one_odd_sandbox_does_not_hide_the_others(made, provider, record_at_provider):
    record = record_at_provider(made)
    odd = {"metadata": {"name": "odd"}, "spec": {}, "status": "SOMETHING_NEW", "state": "NEW"}
    page = {"data": [odd, {**record, "state": "STANDBY"}], "meta": {"hasMore": False}}
    provider.fails("GET", "/sandboxes", 200, page)

    provider_sync.sync_all()

    made.refresh_from_db()
    assert made.status == "standby"


def test_a_look_that_works_ends_an_error(made):
    Sandbox.objects.update(error_code="provider_unavailable", error_message="It was down.")

    provider_sync.sync_all()

    made.refresh_from_db()
    assert (made.error_code, made.error_message) == ("", "")
