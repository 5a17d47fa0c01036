"""Reads whose SQL is written once say what Django's own would, each time anew."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections, models
from django.forms import model_to_dict
from django.utils import timezone

from accounts import tokens
from accounts.models import PersonalToken, User
from manta.core.prepared import Parameter, Prepared
from sandboxes.models import Sandbox, ToolCall
from tests.support.factories import SandboxFactory

by_name = Prepared(
    lambda: Sandbox.objects.filter(name=Parameter("name", models.CharField())).select_related(
        "owner"
    )
)


def test_it_returns_the_rows_that_django_would(alices_sandbox):
    [found] = by_name.all(name=alices_sandbox.name)
    same = Sandbox.objects.get(name=alices_sandbox.name)

    assert found == same
    assert model_to_dict(found) == model_to_dict(same)
    assert (found.ttl, found.ports) == (same.ttl, same.ports)
    assert found.created_at == same.created_at
    assert not found._state.adding


def test_what_is_read_along_needs_no_query_more(alices_sandbox, django_assert_num_queries):
    with django_assert_num_queries(1):
        found = by_name.first(name=alices_sandbox.name)

        assert found.owner.email == "alice@example.com"


def test_each_read_sees_what_was_written_before_it(alices_sandbox, django_assert_num_queries):
    by_name.first(name=alices_sandbox.name)
    Sandbox.objects.update(image="another:latest")

    with django_assert_num_queries(2):
        assert by_name.first(name=alices_sandbox.name).image == "another:latest"
        assert by_name.first(name="there is none") is None


def test_a_value_of_its_own_is_refused(db):
    stale = Prepared(lambda: User.objects.filter(last_login__lt=timezone.now()))

    with pytest.raises(TypeError, match="no value of its own"):
        stale.all()


def test_columns_that_are_left_out_are_read_when_they_are_asked_for(alice):
    made = ToolCall.objects.create(
        owner=alice, tool="fsReadFile", arguments="{}", outcome="ok", duration_ms=1
    )

    latest = ToolCall.objects.latest_of(alice.pk)

    assert latest.get_deferred_fields() >= {"arguments", "outcome"}
    assert (latest.pk, latest.tool, latest.arguments) == (made.pk, "fsReadFile", "{}")


@pytest.mark.django_db(transaction=True)
def test_threads_share_no_connection(alices_sandbox):
    def read(_):
        try:
            return by_name.first(name=alices_sandbox.name).pk
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(read, range(40))) == {alices_sandbox.pk}


def test_a_person_is_read_by_id_alone_or_as_django_does(alice, bob, django_assert_num_queries):
    SandboxFactory(owner=alice)

    with django_assert_num_queries(3):
        assert User.objects.get(pk=bob.pk) == bob
        assert User.objects.get(pk=bob.pk, email="bob@example.com") == bob
        assert User.objects.get(pk=str(bob.pk)) == bob
    with pytest.raises(User.DoesNotExist):
        User.objects.get(pk=0)


def test_a_token_is_judged_by_the_time_of_each_read(alice):
    now = timezone.now()
    token = PersonalToken.objects.create(
        user=alice,
        name="t",
        key="0" * 16,
        digest=tokens.digest(raw := f"manta_pat_{'0' * 16}_{'1' * 64}"),
        created_at=now,
        expires_at=now + timedelta(days=1),
    )
    assert tokens.verify(raw)

    PersonalToken.objects.filter(pk=token.pk).update(
        created_at=now - timedelta(days=2), expires_at=now - timedelta(microseconds=1)
    )
    assert tokens.verify(raw) is None
