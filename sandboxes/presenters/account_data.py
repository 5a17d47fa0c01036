"""Sandboxes' part of the data that a user can download."""

from typing import Any

from accounts.data import camel
from accounts.models import User
from sandboxes.models import Sandbox, SandboxEvent, ToolCall
from sandboxes.presenters.event_log import Entry
from sandboxes.presenters.tool_call_log import CallEntry

_SANDBOX = ["name", "image", "memory_mb", "ports", "region", "created_at", "used_at", "expires_at"]


def export(user: User) -> dict[str, Any]:
    """Return the sandboxes, what was done to them, and what agents called, as JSON-ready values."""
    own_sandboxes = Sandbox.objects.visible_to(user).values(*_SANDBOX)
    events = SandboxEvent.objects.visible_to(user).order_by("pk")
    calls = ToolCall.objects.for_user(user).order_by("pk")
    return {
        "sandboxes": [camel(row) for row in own_sandboxes],
        "activity": [Entry(event, user).as_json() for event in events.iterator()],
        "agentCalls": [CallEntry(call).as_json() for call in calls.iterator()],
    }
