"""Deleting sandboxes, for good or to start anew; and asking first what would be lost."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from sandboxes import audit, errors
from sandboxes.models import Action, Installation, Phase, Sandbox
from sandboxes.services import quotas
from sandboxes.services.row_updates import mark_due


def delete_sandbox(*, sandbox: Sandbox, actor: Any, reason: str = "") -> None:
    """Have the sandbox deleted with everything in it. The row goes when it is gone.

    This cancels one that is being made; one that is being reset is not made again.
    """
    _delete(
        sandbox, Action.DELETE_REQUESTED, recreate_after_delete=False, actor=actor, reason=reason
    )


def reset_sandbox(*, sandbox: Sandbox, actor: Any, reason: str = "") -> None:
    """Have the sandbox deleted with everything in it, and made again from the starter.

    Raises SandboxGone, QuotaReached, or BeingDeleted when it is being deleted for good.
    """
    if sandbox.phase == Phase.GONE:
        raise errors.SandboxGone
    if sandbox.phase == Phase.DELETING and not sandbox.recreate_after_delete:
        raise errors.BeingDeleted("Your sandbox is being deleted. Try again in a moment.")
    try:
        _delete(
            sandbox, Action.RESET_REQUESTED, recreate_after_delete=True, actor=actor, reason=reason
        )
    except errors.QuotaReached as exc:
        outcome = {"outcome": exc.code, "reason": str(exc)}
        audit.record(sandbox, Action.QUOTA_REFUSED, actor=actor, **outcome)
        raise


def _delete(
    sandbox: Sandbox, action: Action, *, recreate_after_delete: bool, actor: Any, reason: str
) -> None:
    with transaction.atomic():
        if recreate_after_delete:
            Installation.lock()  # before the row, as everywhere
        row = Sandbox.objects.select_for_update().filter(pk=sandbox.pk).first()
        if row is None:
            return  # gone meanwhile
        # A deletion for good is never taken back, and the same wish twice is one.
        if row.phase != Phase.DELETING or (row.recreate_after_delete and not recreate_after_delete):
            if recreate_after_delete:
                quotas.admit(row)
            fields = {
                "attempts": 0,
                "provision_deadline": None,
                "error_code": "",
                "error_message": "",
            }
            mark_due(
                row, phase=Phase.DELETING, recreate_after_delete=recreate_after_delete, **fields
            )
            audit.record(row, action, actor=actor, reason=reason)
    sandbox.phase, sandbox.recreate_after_delete = row.phase, row.recreate_after_delete


def look_for_unsaved_work(*, sandbox: Sandbox) -> None:
    """Have the worker look into its git folders now, which wakes it; no use of the person's."""
    if not sandbox.is_looked_into:
        mark_due(sandbox, unsaved_wanted_at=timezone.now(), unsaved_problem="")
