"""Migrations that rename, tried in both directions on rows that are there."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from accounts.agent_permissions import Permissions, of
from sandboxes.models import Breaker, Sandbox, ToolCall

pytestmark = pytest.mark.django_db(transaction=True)


def migrate(*targets):
    """Migrate to these states and return their models."""
    executor = MigrationExecutor(connection)
    executor.migrate(list(targets))
    return MigrationExecutor(connection).loader.project_state(list(targets)).apps


@pytest.fixture
def at_newest():
    """Bring the database to the newest migrations after the test."""
    yield
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def test_an_agents_permissions_are_kept_in_both_directions(alice, at_newest):
    before = migrate(("accounts", "0009_refresh_answers"))
    row = {"key": "agent-1", "abilities": ["read"], "path_prefix": "/blaxel/app"}
    before.get_model("accounts", "AgentPassport").objects.create(user_id=alice.pk, **row)

    migrate(("accounts", "0010_agent_permissions"))
    assert of("agent-1") == Permissions(frozenset({"read"}), "/blaxel/app")

    again = migrate(("accounts", "0009_refresh_answers"))
    kept = again.get_model("accounts", "AgentPassport").objects.values(*row)
    assert list(kept) == [row]


def test_a_refused_call_gets_the_code_of_now_in_both_directions(alice, at_newest):
    before = migrate(("sandboxes", "0015_data_plane_session"))
    calls = before.get_model("sandboxes", "ToolCall").objects
    calls.create(owner_id=alice.pk, code="passport_refused", duration_ms=1)

    migrate(("sandboxes", "0016_permission_denied"))
    assert ToolCall.objects.get().code == "permission_denied"

    again = migrate(("sandboxes", "0015_data_plane_session"))
    assert again.get_model("sandboxes", "ToolCall").objects.get().code == "passport_refused"


# Columns of 0017: their former names, and those of now.
COLUMNS = {
    "settle_by": "provision_deadline",
    "remake": "recreate_after_delete",
    "expiry_asked": "requested_expiry",
    "throttled_at": "queued_since",
}


@pytest.mark.exhaustive
def test_columns_are_kept_in_both_directions(at_newest):
    moment = timezone.now()
    before = migrate(("sandboxes", "0016_permission_denied"))
    row = {"settle_by": moment, "remake": True, "expiry_asked": moment, "throttled_at": moment}
    made = {"name": "user-1", "memory_mb": 512, "phase": "pending", "ttl": moment - moment}
    before.get_model("sandboxes", "Sandbox").objects.create(**made, **row)
    breaker = {"rests_until": moment, "rests": 3}
    before.get_model("sandboxes", "Breaker").objects.create(pk=1, **breaker)

    migrate(("sandboxes", "0017_rename_columns"))
    now = Sandbox.objects.values(*COLUMNS.values()).get()
    assert now == {COLUMNS[name]: value for name, value in row.items()}
    opened = Breaker.objects.get()
    assert (opened.open_until, opened.times_opened) == (moment, 3)

    again = migrate(("sandboxes", "0016_permission_denied"))
    assert again.get_model("sandboxes", "Sandbox").objects.values(*row).get() == row
    assert again.get_model("sandboxes", "Breaker").objects.values(*breaker).get() == breaker
