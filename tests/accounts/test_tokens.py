import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts import tokens
from accounts.agent_permissions import FULL, NONE
from accounts.models import PersonalToken, User
from tests.support.factories import UserFactory, make_token

MCP = "http://localhost:8000/mcp"


def key_of(raw):
    return raw.split("_")[2]


def ago(**period):
    return timezone.now() - timedelta(**period)


def test_a_token_grants_its_scopes_in_its_users_name(alice):
    raw = make_token(alice, "sandbox:read", "mcp")

    grant = tokens.verify(raw)

    assert grant.user == alice
    assert grant.scopes == {"sandbox:read", "mcp"}
    assert grant.name == "CI"
    assert grant.key == key_of(raw)


def test_only_its_hash_is_stored(alice):
    raw = make_token(alice, "mcp")

    stored = PersonalToken.objects.values().get()

    assert stored["digest"] == hashlib.sha256(raw.encode()).hexdigest()
    assert raw.split("_")[3] not in str(stored)
    assert raw.split("_")[3] not in repr(tokens.verify(raw))


def test_a_scanner_finds_it_by_its_shape(alice):
    assert tokens._SHAPE.fullmatch(make_token(alice, "mcp"))


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: "",
        lambda raw: "manta_pat_",
        lambda raw: raw[:-1],
        lambda raw: raw + "0",
        lambda raw: raw + "\n",
        lambda raw: " " + raw,
        lambda raw: raw.upper(),
        lambda raw: raw[:-1] + ("0" if raw[-1] != "0" else "1"),
        lambda raw: raw.replace(key_of(raw), "0" * 16),
        lambda raw: raw.replace(raw[-64:], PersonalToken.objects.get().digest),
        lambda raw: "é" * 91,
        lambda raw: "x" * 2**20,
    ],
)
def test_what_is_not_the_token_grants_nothing(alice, change):
    raw = make_token(alice, "mcp")

    assert tokens.verify(change(raw)) is None


@pytest.mark.parametrize("field", ["revoked_at", "expires_at"])
def test_a_revoked_or_expired_one_is_refused_at_once(alice, field):
    raw = make_token(alice, "mcp")
    assert tokens.verify(raw)

    PersonalToken.objects.update(created_at=ago(days=9), **{field: timezone.now()})

    assert tokens.verify(raw) is None
    assert tokens.still_valid({key_of(raw)}) == set()


def test_one_whose_user_was_deactivated_is_refused_at_once(alice):
    raw = make_token(alice, "mcp")

    User.objects.update(is_active=False)

    assert tokens.verify(raw) is None
    assert tokens.still_valid({key_of(raw)}) == set()


def test_tokens_go_with_their_user(alice):
    raw = make_token(alice, "mcp")

    alice.delete()

    assert tokens.verify(raw) is None
    assert not PersonalToken.objects.exists()


def test_a_scope_that_is_no_longer_known_grants_nothing(alice):
    raw = make_token(alice, scopes=["sandbox:read", "everything"])

    assert tokens.verify(raw).scopes == {"sandbox:read"}


@pytest.mark.parametrize(
    "wrong", [{"scopes": ["everything"]}, {"lifetime": timedelta(days=366)}, {"lifetime": None}]
)
def test_none_is_made_with_more_than_there_is(alice, wrong):
    fields = {"scopes": ["mcp"], "lifetime": timedelta(days=7), **wrong}

    with pytest.raises(ValueError, match="only scopes that there are"):
        tokens.mint(user=alice, name="CI", key=tokens.new_key(), **fields)

    assert not PersonalToken.objects.exists()


@pytest.mark.parametrize(
    ("scope", "audience", "queries"),
    [("sandbox:read", MCP, 1), ("mcp", MCP, 2), ("mcp", None, 1)],
)
def test_a_check_is_one_query_and_one_for_an_agents_permissions(
    alice, django_assert_num_queries, scope, audience, queries
):
    raw = make_token(alice, scope, last_used_at=timezone.now())

    with django_assert_num_queries(queries):
        grant = tokens.verify(raw, audience=audience)

    assert grant.user.email == "alice@example.com"
    assert grant.permissions == (FULL if queries == 2 else NONE)


def test_its_use_is_noted_once_a_minute(alice, django_assert_num_queries):
    raw = make_token(alice, "sandbox:read", last_used_at=ago(seconds=61))

    with django_assert_num_queries(2):
        tokens.verify(raw)
    with django_assert_num_queries(1):
        tokens.verify(raw)

    assert PersonalToken.objects.get().last_used_at > ago(seconds=30)


def test_a_refused_use_is_not_noted(alice):
    raw = make_token(alice, "mcp", revoked_at=timezone.now())

    tokens.verify(raw)

    assert PersonalToken.objects.get().last_used_at is None


@pytest.mark.django_db(transaction=True)
def test_of_many_uses_at_once_one_is_noted():
    raw = make_token(UserFactory(), "mcp")
    noted = []

    def use(_):
        with connection.execute_wrapper(count_updates(noted)):
            tokens.verify(raw)
        connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(use, range(24)))

    assert sum(noted) == 1


def count_updates(noted):
    def wrap(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        if sql.startswith("UPDATE"):
            noted.append(context["cursor"].cursor.rowcount)
        return result

    return wrap


def test_a_form_that_is_sent_twice_makes_one(alice, bob):
    made = {"name": "CI", "scopes": ["mcp"], "lifetime": timedelta(days=7), "key": "a" * 16}

    first = tokens.mint(user=alice, **made)
    again = tokens.mint(user=alice, **made)
    somebody_elses = tokens.mint(user=bob, **made)

    assert first
    assert (again, somebody_elses) == (None, None)
    assert tokens.verify(first[1]).user == alice


def test_many_are_asked_about_in_few_queries(alice, bob, django_assert_num_queries, monkeypatch):
    monkeypatch.setattr("accounts.sessions._BATCH", 3)
    good = {key_of(make_token(alice, "mcp")) for _ in range(5)}
    revoked = key_of(make_token(bob, "mcp", revoked_at=timezone.now()))

    with django_assert_num_queries(3):
        assert tokens.still_valid({*good, revoked, "unknown"}) == good


def test_whoever_acts_with_one_is_known_until_they_are_done(alice):
    grant = tokens.verify(make_token(alice, "mcp"))

    with tokens.acting_with(grant):
        assert tokens.acting() == grant
        with tokens.acting_with(None):
            assert tokens.acting() is None
        assert tokens.acting() == grant

    assert tokens.acting() is None
