"""Writing the record of what was done to a sandbox."""

from typing import Any

from manta.client_ip import current_client_ip
from manta.request_id import current_request_id
from sandboxes.models import Action, Sandbox, SandboxEvent


def record(
    sandbox: Sandbox,
    action: Action,
    *,
    actor: Any = None,
    detail: str = "",
    outcome: str = "ok",
    reason: str = "",
) -> None:
    """Add a line; without an actor it was a job. Reasons are our own sentences, never secrets."""
    SandboxEvent.objects.create(
        sandbox_name=sandbox.name,
        owner_id=sandbox.owner_id,
        actor=actor,
        actor_name=str(actor) if actor else "",
        actor_kind=_kind(sandbox, actor),
        action=action,
        detail=detail,
        outcome=outcome,
        reason=reason,
        request_id=current_request_id(),
        ip=current_client_ip(),
    )


def _kind(sandbox: Sandbox, actor: Any) -> SandboxEvent.Actor:
    if actor is None:
        return SandboxEvent.Actor.JOB
    own = actor.pk == sandbox.owner_id
    return SandboxEvent.Actor.USER if own else SandboxEvent.Actor.ADMIN
