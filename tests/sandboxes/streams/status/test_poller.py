"""Findings of one poll, and what it costs."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts.sessions import SignIn
from sandboxes.models import Action, Heartbeat, Sandbox, SandboxEvent, ToolCall
from sandboxes.streams.status.cursor import Cursor
from sandboxes.streams.status.poller import ChangePoller, opening
from tests.support.factories import SandboxFactory, pending

pytestmark = pytest.mark.django_db
NOBODY: set[int] = set()
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def all_is_well(db):
    Heartbeat.note(Heartbeat.Subject.WORKER, ok=True)
    Heartbeat.note(Heartbeat.Subject.PROVIDER, ok=True)


def sign_in(user):
    client = Client()
    client.force_login(user)
    return SignIn.of(client.cookies["sessionid"].value)[0]


@pytest.fixture
def poller():
    return ChangePoller()


def record(sandbox, ago=timedelta()):
    return SandboxEvent.objects.create(
        sandbox_name=sandbox.name,
        owner_id=sandbox.owner_id,
        actor_kind=SandboxEvent.Actor.USER,
        action=Action.REFRESHED,
        created_at=timezone.now() - ago,
    )


def change(sandbox, **fields):
    Sandbox.objects.filter(pk=sandbox.pk).update(**fields)


def test_the_first_poll_tells_everything(poller, alices_sandbox):
    alice = alices_sandbox.owner

    changes = poller.poll({sign_in(alice)}, NOBODY)

    assert set(changes.states) == {alice.pk}
    assert b'"state":"active"' in changes.states[alice.pk].written


def test_the_next_one_only_what_has_changed(poller, alices_sandbox, bob):
    everybody = {sign_in(alices_sandbox.owner), sign_in(bob)}
    poller.poll(everybody, NOBODY)

    assert poller.poll(everybody, NOBODY).states == {}
    change(alices_sandbox, provider_state="STANDBY")
    assert set(poller.poll(everybody, NOBODY).states) == {alices_sandbox.owner_id}


def test_what_is_never_shown_is_no_change(poller, alices_sandbox):
    alice = {sign_in(alices_sandbox.owner)}
    poller.poll(alice, NOBODY)

    change(alices_sandbox, checked_at=timezone.now(), lease_until=timezone.now())

    assert poller.poll(alice, NOBODY).states == {}
    checked = poller.poll(alice, {alices_sandbox.owner_id}).checked
    assert checked[alices_sandbox.owner_id] > alices_sandbox.checked_at


def test_a_newcomer_is_told_although_nothing_has_changed(poller, alices_sandbox):
    alice = alices_sandbox.owner
    poller.poll({sign_in(alice)}, NOBODY)

    assert set(poller.poll({sign_in(alice)}, {alice.pk}).states) == {alice.pk}


def test_a_newcomer_who_has_left_again_is_no_trouble(poller, alices_sandbox, bob):
    changes = poller.poll({sign_in(alices_sandbox.owner)}, {bob.pk})

    assert set(changes.states) == {alices_sandbox.owner_id}


def test_what_moves_with_time_alone_is_told_each_time(poller, alice):
    SandboxFactory(owner=alice, **pending(attempts=1))
    alices = {sign_in(alice)}
    poller.poll(alices, NOBODY)

    assert set(poller.poll(alices, NOBODY).states) == {alice.pk}


def test_a_sandbox_that_is_not_her_own_is_not_told_of(poller, alices_sandbox, bob):
    poller.poll({sign_in(bob)}, NOBODY)
    SandboxFactory(owner=bob, name="another-of-bobs")
    bob.sandbox = None
    bob.save()

    changes = poller.poll({sign_in(bob)}, {bob.pk})

    assert b'"sandbox":null' in changes.states[bob.pk].written


def test_the_row_is_kept_watched_with_few_writes(poller, alices_sandbox, django_assert_num_queries):
    alice = {sign_in(alices_sandbox.owner)}

    poller.poll(alice, NOBODY)

    assert Sandbox.objects.watched().filter(pk=alices_sandbox.pk).exists()
    with django_assert_num_queries(7):
        poller.poll(alice, NOBODY)


def test_a_poll_for_many_asks_no_more_often(poller, django_assert_num_queries):
    everybody = {sign_in(SandboxFactory().owner) for _ in range(40)}
    poller.poll(everybody, NOBODY)

    with django_assert_num_queries(7):
        poller.poll(everybody, NOBODY)


def test_a_change_of_many_is_read_in_as_few_queries(poller, django_assert_num_queries):
    everybody = {sign_in(SandboxFactory().owner) for _ in range(40)}
    poller.poll(everybody, NOBODY)
    Sandbox.objects.update(provider_state="STANDBY")

    # Two more than without a change: the rows, and their public ports.
    with django_assert_num_queries(9):
        changes = poller.poll(everybody, NOBODY)

    assert len(changes.states) == 40


def test_who_is_signed_out_is_told_nothing(poller, alices_sandbox):
    alice = sign_in(alices_sandbox.owner)
    Session.objects.all().delete()

    changes = poller.poll({alice}, {alice.user_id})

    assert changes.ended == {alice}
    assert changes.states == {}


# ---- Events


def test_a_new_page_hears_only_of_what_comes(alices_sandbox):
    recent = record(alices_sandbox)

    opened = opening(alices_sandbox.owner, None)

    assert opened.events == []
    assert opened.cursor.has(recent.pk)


def test_a_page_that_comes_back_hears_the_rest_in_order(alices_sandbox):
    first, second, third = (record(alices_sandbox) for _ in range(3))

    opened = opening(alices_sandbox.owner, Cursor(0, frozenset({second.pk})))

    assert opened.events == [first, third]


def test_an_event_that_appears_late_is_not_lost(poller, alices_sandbox):
    """Its id was given out before that of one which could be seen earlier."""
    late, early = record(alices_sandbox), record(alices_sandbox)
    seen_before = Cursor(0).after(early.pk)

    assert opening(alices_sandbox.owner, seen_before).events == [late]
    changes = poller.poll({sign_in(alices_sandbox.owner)}, NOBODY)
    assert changes.events[alices_sandbox.owner_id] == [late, early]


def test_what_is_old_is_settled(poller, alices_sandbox):
    settled, recent = record(alices_sandbox, ago=MINUTE), record(alices_sandbox)

    assert poller.poll({sign_in(alices_sandbox.owner)}, NOBODY).settled == settled.pk
    assert opening(alices_sandbox.owner, None).cursor == Cursor(settled.pk, frozenset({recent.pk}))


def test_only_so_much_is_told_again(alices_sandbox, monkeypatch):
    monkeypatch.setattr("sandboxes.streams.status.poller._REPLAYED", 2)
    records = [record(alices_sandbox) for _ in range(4)]

    opened = opening(alices_sandbox.owner, Cursor(0))

    assert opened.missed
    assert opened.events == records[2:]
    assert opened.cursor.has(records[1].pk)


def test_an_id_from_another_life_of_the_database_is_not_believed(alices_sandbox):
    event = record(alices_sandbox)

    assert opening(alices_sandbox.owner, Cursor(10**17)).events == [event]


def test_bob_gets_none_of_alices_events(poller, alices_sandbox, bob):
    record(alices_sandbox)

    assert opening(bob, Cursor(0)).events == []
    assert poller.poll({sign_in(bob)}, NOBODY).events == {}


def test_a_call_of_an_agent_is_told_to_its_person_alone_and_once(poller, alices_sandbox, bob):
    alice = alices_sandbox.owner
    both = {sign_in(alice), sign_in(bob)}
    call = ToolCall.objects.create(owner=alice, tool="x", outcome="ok", duration_ms=1)

    told, then = poller.poll(both, NOBODY).calls, poller.poll(both, NOBODY).calls

    assert told == {alice.pk: call.pk}
    assert then == {}
