"""Migrations that rename, tried in both directions on rows that are there."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from accounts.agent_permissions import Permissions, of
from sandboxes.models import ToolCall

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
