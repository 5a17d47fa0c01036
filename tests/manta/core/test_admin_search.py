"""Search in the admin: by indexes for what begins so, and by all rows only where nothing does."""

import pytest
from django.contrib import admin
from django.db import connection
from django.test import RequestFactory

from accounts.models import User
from sandboxes.models import Sandbox
from tests.support.factories import SandboxFactory, UserFactory
from tests.support.query_plans import plans

pytestmark = pytest.mark.django_db


def found(model, text):
    site = admin.site.get_model_admin(model)
    request = RequestFactory().get("/")
    rows, _ = site.get_search_results(request, site.get_queryset(request).order_by("pk"), text)
    return [str(row) for row in rows]


@pytest.fixture
def rows():
    for name in ("user-7", "user-77", "user-8", "box-user-7"):
        owner = UserFactory(email=f"{name}-owner@example.com")
        SandboxFactory(name=name, owner=owner, error_message=f"The image of {name} is not there")
    Sandbox.objects.filter(name="user-8").update(error_code="unknown_image")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("user-7", ["user-7", "user-77"]),
        ("USER-77", ["user-77"]),
        ("user-8-owner@", ["user-8"]),
        ("unknown_image", ["user-8"]),
        ("user-7 user-77-owner", ["user-77"]),
        # Nothing begins so: parts are looked for.
        ("-77", ["user-77"]),
        ("77-owner@", ["user-77"]),
        ("image of box", ["box-user-7"]),
        ("x-user", ["box-user-7"]),
        ("%", []),
        ("user_7", []),
        ("nothing", []),
        ("\U0010ffff", []),
    ],
)
def test_sandboxes_are_found(rows, text, names):
    assert found(Sandbox, text) == names


def test_without_words_all_are_listed(rows):
    assert len(found(Sandbox, " ")) == 4


def test_people_are_found_by_the_beginning_of_their_address_or_a_part(rows):
    assert found(User, "user-7-") == ["user-7-owner@example.com"]
    assert len(found(User, "owner@")) == 4


def test_an_address_with_capitals_is_found_beside_another(rows):
    owner = UserFactory(email="User-7-Other@example.com")
    SandboxFactory(name="other", owner=owner)

    assert found(User, "user-7-") == ["user-7-owner@example.com", "User-7-Other@example.com"]
    assert found(User, "USER-7-o") == ["user-7-owner@example.com", "User-7-Other@example.com"]
    assert found(Sandbox, "user-7-o") == ["user-7", "other"]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="the plan is PostgreSQL's")
def test_postgresql_has_an_index_for_the_beginning_of_an_address(rows):
    people = User.objects.order_by().filter(email__lower__startswith="user-7-").values("pk")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")

    plan = people.explain()
    assert "user_email_lower_like" in plan
    assert "Index Cond" in plan


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the plan is SQLite's")
@pytest.mark.parametrize("text", ["user-7", "user-8-owner@", "unknown_image", "user-7 user-77"])
def test_an_index_serves_what_begins_so(rows, text):
    read = plans(lambda: found(Sandbox, text))

    assert len(read) == 2
    assert not [plan for plan in read if "SCAN" in plan]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the plan is SQLite's")
def test_an_index_serves_the_beginning_of_an_address(rows):
    assert not [plan for plan in plans(lambda: found(User, "user-7-")) if "SCAN" in plan]
