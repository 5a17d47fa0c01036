"""Messages of the status stream: a sandbox's state, and lines of its record."""

from typing import Any

from accounts.models import User
from sandboxes.models import SandboxEvent
from sandboxes.presenters.event_log import Entry
from sandboxes.presenters.panel import Panel
from sandboxes.presenters.serializers import in_brief


def state(panel: Panel) -> dict[str, Any]:
    """A sandbox as it is: for people, by the panel's words, and for programs, as the API says."""
    row = panel.sandbox
    checked = panel.checked_at
    return {
        "version": panel.version,
        "state": panel.state,
        "word": panel.word,
        "step": _step(panel) if panel.state == "provisioning" else None,
        "next": panel.retry_note or None,
        "trouble": panel.trouble or None,
        "error": _error(panel) if panel.error_message else None,
        "checkedAt": checked.isoformat() if checked else None,
        "sandbox": in_brief(row) if row else None,
    }


def event(event: SandboxEvent) -> dict[str, Any]:
    """Return the event as the API's record has it, for its owner."""
    return Entry(event, User(pk=event.owner_id)).as_json()


def _step(panel: Panel) -> dict[str, Any]:
    return {"number": panel.step_number, "count": panel.step_count, "label": panel.step_label}


def _error(panel: Panel) -> dict[str, str]:
    return {"code": panel.error_code, "message": panel.error_message}
