"""Deleting a sandbox, and then its row."""

from datetime import timedelta

from django.utils import timezone

from sandboxes import events, gateway, status
from sandboxes.models import Action, Phase, Sandbox
from sandboxes.reconcile.rows import save
from sandboxes.reconcile.seen import is_ours


def delete(sandbox: Sandbox) -> None:
    record = gateway.get(sandbox.name)
    if record is not None and record.status not in status.GONE and is_ours(sandbox, record):
        gateway.delete(sandbox.name)
        record = gateway.get(sandbox.name)
    if record is not None and record.status != "TERMINATED" and is_ours(sandbox, record):
        save(sandbox, next_attempt_at=timezone.now() + timedelta(seconds=1))
        return
    events.record(sandbox, Action.DELETED)
    Sandbox.objects.filter(pk=sandbox.pk, phase=Phase.DELETING).delete()
