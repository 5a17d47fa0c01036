"""Having a sandbox made: at sign-in, when a program asks, and again after it failed or went."""

from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from manta.core.request_context import current_request_id
from sandboxes import audit, errors
from sandboxes.models import WATCHED_FOR, Action, Installation, Phase, Sandbox
from sandboxes.models.status import Status
from sandboxes.models.transitions import cleared_observation, pending_fields
from sandboxes.services import quotas
from sandboxes.services.row_updates import mark_due


def name_for(user: User) -> str:
    return f"user-{user.pk}"


def ensure_sandbox(*, user: User) -> Sandbox:
    """Find the user's sandbox, or have one made. Returns at once.

    One that expired or was deleted is left alone, and offered for re-creation. One that a quota
    forbids has a row that says so, and is tried again at the next sign-in.
    """
    return _ensure(user)[0]


def initialize_sandbox(*, user: User) -> Sandbox:
    """Have the user's sandbox made, also again after it failed, expired or was deleted.

    Raises QuotaReached or BeingDeleted.
    """
    sandbox, refusal = _ensure(user)
    if refusal:
        raise refusal
    needs_making = sandbox.phase in (Phase.FAILED, Phase.GONE) or sandbox.status is Status.FAILED
    if needs_making:
        start_over(sandbox=sandbox, actor=user)
    elif sandbox.phase == Phase.DELETING and not sandbox.recreate_after_delete:
        raise errors.BeingDeleted("This sandbox is being deleted. Try again in a moment.")
    return sandbox


def start_over(*, sandbox: Sandbox, actor: Any) -> None:
    """Let the reconciler make the sandbox anew, or find it: Retry and Recreate.

    Raises QuotaReached.
    """
    try:
        with transaction.atomic():
            Installation.lock()
            sandbox.refresh_from_db()
            if sandbox.is_settling:
                return  # another click was first
            was_gone = sandbox.phase == Phase.GONE
            if was_gone or quotas.was_refused(sandbox):
                quotas.admit(sandbox)
            # Nothing of the old one may be shown for the new one.
            mark_due(sandbox, **pending_fields(), **(cleared_observation() if was_gone else {}))
            audit.record(sandbox, Action.RECREATED if was_gone else Action.RETRIED, actor=actor)
    except errors.QuotaReached as exc:
        _refuse(sandbox, exc, actor)
        raise


def _ensure(user: User) -> tuple[Sandbox, errors.QuotaReached | None]:
    """Return the user's row, and why it may not have a sandbox, if a quota forbids it."""
    with transaction.atomic():
        sandbox, created = Sandbox.objects.get_or_create(
            name=name_for(user), defaults=_defaults(user)
        )
        if sandbox.owner_id != user.pk:
            # Left by a deleted account whose id came back. It goes first.
            raise errors.SandboxBusy(
                "An older sandbox of this name is being removed. Try again in a minute."
            )
        refusal = _let_in(sandbox, user) if created else None
        if not created:
            mark_due(sandbox, used_at=timezone.now())
        User.objects.filter(pk=user.pk).exclude(sandbox_id=sandbox.name).update(sandbox=sandbox)
    user.sandbox = sandbox
    if not created and quotas.was_refused(sandbox):
        try:
            start_over(sandbox=sandbox, actor=user)
        except errors.QuotaReached as exc:
            refusal = exc
    return sandbox, refusal


def _let_in(sandbox: Sandbox, user: User) -> errors.QuotaReached | None:
    """Count a new row's sandbox, where no quota forbids it."""
    try:
        quotas.admit(sandbox)
    except errors.QuotaReached as exc:
        _refuse(sandbox, exc, user)
        return exc
    audit.record(sandbox, Action.REQUESTED, actor=user)
    return None


def _refuse(sandbox: Sandbox, exc: errors.QuotaReached, actor: Any) -> None:
    """Say on the row why there is no sandbox; one that is gone stays gone."""
    if sandbox.phase != Phase.GONE:
        sandbox.phase, sandbox.next_attempt_at = Phase.FAILED, None
        sandbox.error_code, sandbox.error_message = exc.code, str(exc)
        sandbox.save(update_fields=["phase", "next_attempt_at", "error_code", "error_message"])
    audit.record(sandbox, Action.QUOTA_REFUSED, actor=actor, outcome=exc.code, reason=str(exc))


def _defaults(user: User) -> dict[str, Any]:
    now = timezone.now()
    return {
        "owner": user,
        "image": settings.SANDBOX_IMAGE,
        "memory_mb": settings.SANDBOX_MEMORY_MB,
        "region": settings.SANDBOX_REGION,
        "ttl": settings.SANDBOX_TTL,
        "labels": partial(_labels, user),
        "provision_deadline": now + settings.SANDBOX_START_TIMEOUT,
        "next_attempt_at": now,
        "used_at": now,
        "request_id": current_request_id(),
        "watched_until": now + WATCHED_FOR,
    }


def _labels(user: User) -> dict[str, str]:
    """Return the labels that name a sandbox's owner; two installations may have the same ids."""
    return {"manta-owner": str(user.pk), "manta-installation": Installation.current().key}
