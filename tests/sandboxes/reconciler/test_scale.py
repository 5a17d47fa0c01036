"""Queries that run again and again cost the same however many rows there are."""

import re

import pytest
from django.db import connection

from sandboxes.models import Sandbox
from sandboxes.reconciler import start_queue
from tests.support.factories import SandboxFactory
from tests.support.query_plans import plans

pytestmark = [
    pytest.mark.django_db,
    # PostgreSQL reads a small table as a whole, whatever its indexes.
    pytest.mark.skipif(connection.vendor != "sqlite", reason="the plan is SQLite's"),
]


@pytest.mark.parametrize(
    "ask",
    [
        Sandbox.objects.is_any_due,
        start_queue.startable_ids,
        start_queue.note_throttled,
        lambda: Sandbox.objects.due_for_maintenance(16),
        lambda: list(Sandbox.objects.watched()),
        lambda: list(Sandbox.objects.order_by("-created_at", "-pk")[:100]),
    ],
    ids=["due", "queue", "throttled", "maintenance", "watched", "newest"],
)
def test_it_is_read_from_an_index(ask):
    SandboxFactory()

    found = plans(ask)

    assert found
    assert not [plan for plan in found if re.search(r"SCAN \w+\b(?! USING)", plan)]
