"""Deleting a sandbox, and then its row; or, for a reset, making it again."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from sandboxes import audit, control_plane
from sandboxes.models import Action, Phase, PublicPort, Sandbox, status
from sandboxes.models.transitions import cleared_observation, pending_fields
from sandboxes.reconciler.observation import is_ours
from sandboxes.reconciler.row_updates import ConcurrentUpdate, save


def delete(sandbox: Sandbox) -> None:
    record = control_plane.sandboxes.get(sandbox.name)
    if record is not None and record.status not in status.GONE and is_ours(sandbox, record):
        control_plane.sandboxes.delete(sandbox.name)
        record = control_plane.sandboxes.get(sandbox.name)
    if record is not None and record.status != "TERMINATED" and is_ours(sandbox, record):
        save(sandbox, next_attempt_at=timezone.now() + timedelta(seconds=1))
        return
    # By what the row says now: a deletion for good may have been asked for during a reset.
    rows = Sandbox.objects.filter(
        pk=sandbox.pk, phase=Phase.DELETING, recreate_after_delete=sandbox.recreate_after_delete
    )
    with transaction.atomic():
        if sandbox.recreate_after_delete:
            PublicPort.objects.end_all(sandbox)
            done = rows.update(
                **cleared_observation(), **pending_fields(), recreate_after_delete=False
            )
        else:
            done, _ = rows.delete()
        if not done:
            raise ConcurrentUpdate
        audit.record(sandbox, Action.RESET if sandbox.recreate_after_delete else Action.DELETED)
