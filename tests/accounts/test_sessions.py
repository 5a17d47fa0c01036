from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import sessions
from accounts.models import User
from accounts.session_store import SessionStore
from accounts.sessions import SignIn, ended
from tests.support.factories import UserFactory


def sign_in(user):
    client = Client()
    client.force_login(user)
    return SignIn.of(client.cookies["sessionid"].value)[0]


def test_a_session_is_its_users(client, alice):
    client.force_login(alice)

    sign_in, user = SignIn.of(client.cookies["sessionid"].value)

    assert user == alice
    assert sign_in.user_id == alice.pk


@pytest.mark.parametrize("key", ["", "short", "nobodys-session-at-all", "x" * 5000, "é" * 20])
def test_no_session_is_nobodys(db, key):
    assert SignIn.of(key) is None


def test_a_session_without_a_user_is_nobodys(db):
    session = SessionStore()
    session.create()

    assert SignIn.of(session.session_key) is None


def test_an_inactive_user_has_no_session(client, alice):
    client.force_login(alice)
    User.objects.update(is_active=False)

    assert SignIn.of(client.cookies["sessionid"].value) is None


def test_neither_shows_its_secrets(alice):
    written = repr(sign_in(alice))

    assert Session.objects.get().pk not in written
    assert alice.password not in written


def test_those_that_hold_go_on(alice, bob):
    assert ended({sign_in(alice), sign_in(bob)}) == set()


def test_one_that_was_signed_out_has_ended(alice, bob):
    alices, bobs = sign_in(alice), sign_in(bob)

    Session.objects.filter(pk=alices.session_key).delete()

    assert ended({alices, bobs}) == {alices}


def test_one_that_has_expired_has_ended(alice):
    alices = sign_in(alice)

    Session.objects.update(expire_date=timezone.now())

    assert ended({alices}) == {alices}


@pytest.mark.parametrize("fields", [{"is_active": False}, {"password": "another"}])
def test_what_a_session_relied_on_has_ended_it(alice, bob, fields):
    alices, bobs = sign_in(alice), sign_in(bob)

    User.objects.filter(pk=alice.pk).update(**fields)

    assert ended({alices, bobs}) == {alices}


def test_a_deleted_users_has_ended(alice):
    alices = sign_in(alice)

    alice.delete()

    assert ended({alices}) == {alices}


def test_many_are_asked_about_in_few_queries(db, django_assert_num_queries, monkeypatch):
    monkeypatch.setattr("accounts.sessions._BATCH", 4)
    many = {sign_in(UserFactory()) for _ in range(8)}

    with django_assert_num_queries(4):
        assert ended(many) == set()


def expire(*names, by=timedelta(0)):
    Session.objects.bulk_create(
        Session(session_key=name, session_data="", expire_date=timezone.now() - by)
        for name in names
    )


def test_expired_sessions_are_deleted_and_no_others(client, alice):
    client.force_login(alice)
    lasting = client.cookies["sessionid"].value
    expire("old", by=timedelta(days=1))
    for key in ("old", lasting):
        UserSession.objects.create(session_key=key, user=alice, ip="127.0.0.1")

    assert sessions.forget_expired() == 1

    assert [each.pk for each in Session.objects.all()] == [lasting]
    assert [each.session_key for each in UserSession.objects.all()] == [lasting]
    assert SignIn.of(lasting)
    assert sessions.forget_expired() == 0


def test_a_session_that_gets_a_later_end_meanwhile_stays(alice):
    expire("old")
    UserSession.objects.create(session_key="old", user=alice, ip="127.0.0.1")

    def renewing(execute, sql, params, many, context):
        if sql.startswith("DELETE") and "django_session" in sql:
            later = timezone.now() + timedelta(days=1)
            Session.objects.update(expire_date=later)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(renewing):
        assert sessions.forget_expired() == 0

    assert Session.objects.filter(pk="old").exists()
    assert UserSession.objects.filter(session_key="old").exists()


def test_a_turn_deletes_only_so_many_the_oldest_first(db, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(sessions, "_BATCH", 2)
    monkeypatch.setattr(sessions, "_BATCHES", 2)
    for days in range(1, 8):
        expire(f"{days}-days-old", by=timedelta(days=days))

    with django_assert_num_queries(6):
        assert sessions.forget_expired() == 4

    left = Session.objects.order_by("pk").values_list("pk", flat=True)
    assert list(left) == ["1-days-old", "2-days-old", "3-days-old"]
