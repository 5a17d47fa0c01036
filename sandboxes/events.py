"""Writing the record of what was done to a sandbox."""

from typing import Any

from manta.request_id import current_request_id
from sandboxes.models import Sandbox, SandboxEvent


def record(
    sandbox: Sandbox, action: str, *, actor: Any = None, outcome: str = "ok", reason: str = ""
) -> None:
    """Add a line; without an actor it was a job. Reasons are our own sentences, never secrets."""
    SandboxEvent.objects.create(
        sandbox_name=sandbox.name,
        owner_id=sandbox.owner_id,
        actor=actor,
        actor_kind=_kind(sandbox, actor),
        action=action,
        outcome=outcome,
        reason=reason,
        request_id=current_request_id(),
    )


def _kind(sandbox: Sandbox, actor: Any) -> SandboxEvent.Actor:
    if actor is None:
        return SandboxEvent.Actor.JOB
    own = actor.pk == sandbox.owner_id
    return SandboxEvent.Actor.USER if own else SandboxEvent.Actor.ADMIN
