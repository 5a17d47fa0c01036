import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts.models import User
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
