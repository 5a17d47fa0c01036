"""The cache in the database, which several processes share."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import caches
from django.db import connection, connections

from manta.core import database_cache

AT_ONCE = 8


@pytest.fixture
def cache(db):
    return caches["shared"]


def rows():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM manta_cache")
        return cursor.fetchone()[0]


def test_what_is_added_is_not_added_again(cache):
    assert cache.add("code", "first", 60)
    assert not cache.add("code", "second", 60)
    assert cache.get("code") == "first"


def test_what_has_expired_is_gone_and_can_be_added(cache):
    cache.set("code", "first", -1)

    assert cache.get("code") is None
    assert cache.add("code", "second", 60)
    assert cache.get("code") == "second"


def test_a_read_deletes_nothing(cache, django_assert_num_queries):
    """A key that has expired can be another process's new one by the time it is deleted."""
    cache.set("code", "old", -1)
    cache.set("attempts", [1.5], 60)

    with django_assert_num_queries(1):
        found = cache.get_many(["code", "attempts", "other"])

    assert found == {"attempts": [1.5]}
    assert rows() == 2


def test_what_is_set_replaces_what_was_there(cache):
    cache.set("attempts", [1.5], 60)
    cache.set("attempts", [2.5, 1.5], None)

    assert cache.get("attempts") == [2.5, 1.5]
    assert not cache.add("attempts", [], 60)


def test_one_of_many_at_once_adds_a_key_that_has_expired(transactional_db):
    together = threading.Barrier(AT_ONCE)

    def add(_):
        together.wait()
        try:
            return caches["shared"].add("code", True, 60)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in range(10):
            caches["shared"].set("code", True, -1)
            assert sorted(pool.map(add, range(AT_ONCE))) == [False] * (AT_ONCE - 1) + [True]


def test_nothing_that_holds_is_given_up_for_what_comes_later(cache):
    cache._max_entries = 3
    for number in range(10):
        cache.set(f"attempts-{number}", number, 60)

    assert [cache.get(f"attempts-{number}") for number in range(10)] == list(range(10))


def test_the_worker_deletes_what_has_expired(cache, settings):
    settings.CACHES = settings.CACHES | {"default": settings.CACHES["shared"]}
    cache.set("code", "old", -1)
    cache.set("attempts", [1.5], 60)

    database_cache.forget_expired()

    assert rows() == 1
    assert cache.get("attempts") == [1.5]
