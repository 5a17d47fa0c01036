"""Writing the record of what was done to a sandbox."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts import tokens
from manta.core.client_ip import current_client_ip
from manta.core.request_context import current_request_id
from sandboxes.models import Action, Sandbox, SandboxEvent

# Another look at the same thing within this time is the same visit.
_VISIT = timedelta(minutes=10)


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
    kind, name = _who(sandbox, actor)
    SandboxEvent.objects.create(
        sandbox_name=sandbox.name,
        owner_id=sandbox.owner_id,
        actor=actor,
        actor_name=name,
        actor_kind=kind,
        action=action,
        detail=detail,
        outcome=outcome,
        reason=reason,
        request_id=current_request_id(),
        ip=current_client_ip(),
    )


def record_view(sandbox: Sandbox, *, actor: Any) -> None:
    """Add a line when a person other than its owner looks at a sandbox: one for each visit."""
    if actor.pk == sandbox.owner_id:
        return
    record_visit(sandbox, Action.VIEWED, actor=actor)


def record_visit(sandbox: Sandbox, action: Action, *, actor: Any, detail: str = "") -> None:
    """Add a line, unless there is one of the same visit."""
    seen = SandboxEvent.objects.filter(
        sandbox_name=sandbox.name,
        action=action,
        actor=actor,
        detail=detail,
        created_at__gt=timezone.now() - _VISIT,
    )
    if not seen.exists():
        record(sandbox, action, actor=actor, detail=detail)


def _who(sandbox: Sandbox, actor: Any) -> tuple[SandboxEvent.Actor, str]:
    if actor is None:
        return SandboxEvent.Actor.JOB, ""
    if grant := tokens.acting():
        return SandboxEvent.Actor(grant.kind), grant.name
    own = actor.pk == sandbox.owner_id
    return SandboxEvent.Actor.USER if own else SandboxEvent.Actor.ADMIN, str(actor)
