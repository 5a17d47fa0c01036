"""Streams of real web processes, as pages hear them."""

import socket
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from sandboxes import audit
from sandboxes.models import Action, Heartbeat, Phase, Sandbox
from sandboxes.streams.paths import STATUS
from tests.settings import CANARY_KEY
from tests.support.factories import SandboxFactory, UserFactory, pending
from tests.support.waiting import wait_until
from tests.support.web_process import TIMEOUT, cookie_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def all_is_well(transactional_db):
    Heartbeat.note(Heartbeat.Subject.WORKER, ok=True)
    Heartbeat.note(Heartbeat.Subject.PROVIDER, ok=True)


def change(sandbox, **fields):
    Sandbox.objects.filter(pk=sandbox.pk).update(**fields)


def test_a_page_is_told_the_state_as_it_is(web, listen, alices_sandbox):
    page = listen(web, alices_sandbox.owner)

    page.shows("active")
    state = page.all("state")[0]
    assert state["word"] == "Active"
    assert state["sandbox"]["sandboxId"] == alices_sandbox.name


def test_it_is_a_stream_that_nobody_keeps(web, listen, alice):
    page = listen(web, alice)

    assert page.headers["Content-Type"] == "text/event-stream"
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Accel-Buffering"] == "no"
    assert "Access-Control-Allow-Origin" not in page.headers


@pytest.mark.exhaustive
def test_a_failure_before_the_page_came_is_told(web, listen, alice):
    SandboxFactory(owner=alice, phase=Phase.FAILED, error_code="unknown_image", error_message="No.")

    page = listen(web, alice)

    page.shows("failed")
    assert page.all("state")[0]["error"] == {"code": "unknown_image", "message": "No."}


def test_each_change_is_told_whoever_made_it(web, listen, alice):
    sandbox = SandboxFactory(owner=alice, **pending())
    page = listen(web, alice)
    page.shows("provisioning")

    change(sandbox, step="starter")
    wait_until(lambda: page.all("state")[-1]["step"]["number"] == 2, TIMEOUT)
    change(sandbox, phase=Phase.READY, provider_status="DEPLOYED", next_attempt_at=None)
    page.shows("active")
    change(sandbox, provider_state="STANDBY")
    page.shows("standby")


def test_a_sandbox_that_is_asked_for_appears(web, listen, alice):
    page = listen(web, alice)
    page.shows("none")

    SandboxFactory(owner=alice, **pending())

    page.shows("provisioning")


def test_trouble_is_told_although_no_row_has_changed(web, listen, alices_sandbox):
    page = listen(web, alices_sandbox.owner)
    page.shows("active")

    Heartbeat.note(Heartbeat.Subject.PROVIDER, ok=False)

    wait_until(lambda: "not answering" in (page.all("state")[-1]["trouble"] or ""), TIMEOUT)


def test_every_page_of_hers_is_told_by_every_process(web, other_web, listen, alices_sandbox):
    pages = [listen(each, alices_sandbox.owner) for each in (web, web, other_web)]

    change(alices_sandbox, provider_state="STANDBY")
    audit.record(alices_sandbox, Action.REFRESHED, actor=alices_sandbox.owner)

    for page in pages:
        page.shows("standby")
        page.hears("refresh")


def test_bob_hears_nothing_of_alices(web, listen, alices_sandbox, bob):
    page = listen(web, bob)
    hers = listen(web, alices_sandbox.owner)

    change(alices_sandbox, provider_state="STANDBY")
    audit.record(alices_sandbox, Action.REFRESHED, actor=alices_sandbox.owner)

    hers.shows("standby")
    hers.hears("refresh")
    assert page.states() == ["none"]
    assert page.actions() == []


@pytest.mark.parametrize("cookie", ["", "sessionid=", "sessionid=nobodys-session", "sessionid=x"])
def test_a_stranger_is_told_nothing(web, listen, alices_sandbox, cookie):
    page = listen(web, cookie)

    assert page.status == 401
    assert page.ends() == ""
    assert page.said == []


def test_an_open_page_keeps_the_worker_looking(web, listen, alices_sandbox):
    listen(web, alices_sandbox.owner)

    wait_until(lambda: Sandbox.objects.watched().filter(pk=alices_sandbox.pk).exists(), TIMEOUT)


# ---- Going on where another stream was


def test_a_page_goes_on_without_a_gap_or_a_repetition(web, listen, alices_sandbox):
    alice = alices_sandbox.owner
    audit.record(alices_sandbox, Action.REQUESTED, actor=alice)
    first = listen(web, alice)
    audit.record(alices_sandbox, Action.READY)
    first.hears("ready")

    web.end(9)
    assert first.ends() == ""
    audit.record(alices_sandbox, Action.REFRESHED, actor=alice)
    change(alices_sandbox, provider_state="STANDBY")
    web.spawn()
    web.until_ready()
    second = listen(web, alice, after=first.last_id)
    second.shows("standby")
    second.hears("refresh")
    audit.record(alices_sandbox, Action.EXTENDED, actor=alice)
    second.hears("refresh", "extended")


def test_a_page_that_heard_no_event_goes_on_all_the_same(web, listen, alices_sandbox):
    first = listen(web, alices_sandbox.owner)
    first.shows("active")
    first.close()

    audit.record(alices_sandbox, Action.REFRESHED, actor=alices_sandbox.owner)

    listen(web, alices_sandbox.owner, after=first.last_id).hears("refresh")


def test_old_news_are_not_told_to_a_new_page(web, listen, alices_sandbox):
    audit.record(alices_sandbox, Action.READY)

    page = listen(web, alices_sandbox.owner)
    audit.record(alices_sandbox, Action.REFRESHED, actor=alices_sandbox.owner)

    page.hears("refresh")


def test_an_event_that_can_be_seen_late_is_told_late_and_once(web, listen, alices_sandbox):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite gives out ids in the order of its commits.")
    alice = alices_sandbox.owner
    page = listen(web, alice)
    with ThreadPoolExecutor(1) as thread, transaction.atomic():
        audit.record(alices_sandbox, Action.EXTENDED, actor=alice)
        thread.submit(record_and_close, alices_sandbox, Action.REFRESHED, actor=alice).result()
        page.hears("refresh")
        page.close()

    page = listen(web, alice, after=page.last_id)
    page.hears("extended")
    page.close()
    page = listen(web, alice, after=page.last_id)
    audit.record(alices_sandbox, Action.READY)
    page.hears("ready")


def record_and_close(*args, **kwargs):
    audit.record(*args, **kwargs)
    connection.close()


# ---- The end of a stream


def test_signing_out_ends_every_stream_of_the_session(web, other_web, listen, client, alice):
    client.force_login(alice)
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    hers = [listen(each, cookie) for each in (web, web, other_web)]
    elsewhere = listen(web, alice)

    client.logout()

    assert [page.ends() for page in hers] == ["signed out"] * 3
    assert not elsewhere.over


@pytest.mark.parametrize("fields", [{"is_active": False}, {"password": "another"}])
def test_a_user_who_may_no_longer_is_told_no_more(web, listen, alice, fields):
    page = listen(web, alice)

    User.objects.filter(pk=alice.pk).update(**fields)

    assert page.ends() == "signed out"


def test_a_deleted_user_is_told_no_more(web, listen, alice):
    page = listen(web, alice)

    alice.delete()

    assert page.ends() == "signed out"


def test_an_expired_session_is_told_no_more(web, listen, alice):
    page = listen(web, alice)

    Session.objects.update(expire_date=timezone.now())

    assert page.ends() == "signed out"


def test_the_oldest_of_too_many_gives_way(web, listen, alice):
    cookie = cookie_of(alice)

    pages = [listen(web, cookie) for _ in range(11)]

    assert pages[0].ends() == "limit"
    assert not any(page.over for page in pages[1:])


def test_the_others_of_a_user_with_many_go_on(web, listen, alice, bob):
    bobs = listen(web, bob)
    for _ in range(12):
        listen(web, alice)

    assert not bobs.over


@pytest.mark.exhaustive
def test_a_process_that_is_asked_to_end_sends_its_pages_away(web, listen, db):
    pages = [listen(web, user) for user in UserFactory.create_batch(5) for _ in range(10)]

    web.end()  # and waits until it has ended, which it never did with an open stream

    assert {page.ends() for page in pages} == {"stopping"}
    web.spawn()
    web.until_ready()


@pytest.mark.exhaustive
def test_streams_hold_no_connection_to_the_database(web, listen):
    # On PostgreSQL those of the tests, and of other processes that they started, count, too.
    before = web.database_connections()
    for user in UserFactory.create_batch(30):
        listen(web, user).shows("none")

    # One looks for all, and each process has one for what it counts.
    assert web.database_connections() - before < 10


def test_a_page_that_does_not_read_holds_up_no_other(web, listen, alices_sandbox):
    alice = alices_sandbox.owner
    page = listen(web, alice)
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", web.port))
        deaf.sendall(
            f"GET {STATUS} HTTP/1.1\r\nHost: x\r\nCookie: {cookie_of(alice)}\r\n\r\n".encode()
        )
        wait_until(lambda: web.open_streams() == 2, TIMEOUT)

        for _ in range(60):  # more than the kernel keeps for it
            audit.record(alices_sandbox, Action.REFRESHED, actor=alice, reason="x" * 100_000)
        change(alices_sandbox, provider_state="STANDBY")

        page.hears(*["refresh"] * 60)
        page.shows("standby")


def test_the_workspace_key_is_not_told(web, listen, admin_user):
    SandboxFactory(owner=admin_user)

    page = listen(web, admin_user)

    page.shows("active")
    assert CANARY_KEY not in str(page.said) + str(page.headers)


def test_no_other_method_has_a_stream(web, alices_sandbox):
    for method in ("HEAD", "POST", "DELETE"):
        answer = httpx.request(
            method, f"{web.url}/live/sandbox", headers={"Cookie": cookie_of(alices_sandbox.owner)}
        )
        assert answer.status_code == 405
