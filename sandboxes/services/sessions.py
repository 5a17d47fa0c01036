"""The session by which Manta reaches one sandbox: opened before it is needed, kept sealed."""

from typing import Any

from sandboxes import control_plane
from sandboxes.models import Sandbox
from sandboxes.services.row_updates import require_ready


def require_reach(sandbox: Sandbox) -> None:
    """Refuse what can't be reached; without a session that works, one is opened.

    Raises SandboxGone, BeingDeleted, SandboxBusy, or a ProviderError.
    """
    require_ready(sandbox)
    ensure_session(sandbox)


def ensure_session(sandbox: Sandbox) -> None:
    """Open a session where there is none that works. Raises a ProviderError."""
    if not sandbox.has_session:
        open_session(sandbox)


def open_session(sandbox: Sandbox) -> None:
    """Open a new session, and keep it on the row. Raises a ProviderError."""
    session = control_plane.sessions.open_session(sandbox.name)
    fields: dict[str, Any] = {
        "data_url": session.reach.url,
        "data_token": sandbox.sealed(session.token),
        "data_token_until": session.until,
    }
    # No lease is needed; but the row may be another sandbox's of the same name by now.
    same = Sandbox.objects.filter(pk=sandbox.pk, provider_created_at=sandbox.provider_created_at)
    same.update(**fields)
    for name, value in fields.items():
        setattr(sandbox, name, value)
