"""Leases of rows: held in the database for seconds, and renewed while a worker is at work.

When a worker is killed its leases run out, and the next sweep of any worker takes the rows.
"""

import uuid
from datetime import timedelta
from typing import Any, cast

from django.db import transaction
from django.utils import timezone

from sandboxes.models import Installation, Phase, Sandbox
from sandboxes.reconciler import start_queue

LEASE = timedelta(seconds=10)

_held: set[uuid.UUID] = set()


def acquire(pk: int) -> Sandbox | None:
    """Take a row that is due; None when it is not, when another worker has it, or when it is to
    be made and it is not its turn.
    """
    due = Sandbox.objects.due().filter(pk=pk)
    phase = due.values_list("phase", flat=True).first()
    # Asked before anything is locked: another worker may have taken it since this one looked.
    if phase is None or (phase == Phase.PENDING and pk not in start_queue.startable_ids()):
        return None
    holder, now = uuid.uuid4(), timezone.now()
    with transaction.atomic():
        if phase == Phase.PENDING:
            Installation.lock()  # so that all workers together keep to the limit
            if pk not in start_queue.startable_ids():
                return None
        taken = due.filter(phase=phase).update(
            lease_holder=holder,
            lease_until=now + LEASE,
            attempted_at=now,
            next_attempt_at=None,
        )
    if not taken:
        return None
    _held.add(holder)
    return Sandbox.objects.select_related("owner").get(pk=pk)


def save(sandbox: Sandbox, **fields: Any) -> bool:
    """Change the row, unless the lease was lost or its phase has been changed meanwhile."""
    held = Sandbox.objects.filter(
        pk=sandbox.pk, lease_holder=sandbox.lease_holder, phase=sandbox.phase
    )
    if not held.update(**fields):
        return False
    for field, value in fields.items():
        setattr(sandbox, field, value)
    return True


def release(sandbox: Sandbox) -> None:
    Sandbox.objects.filter(pk=sandbox.pk, lease_holder=sandbox.lease_holder).update(
        lease_holder=None, lease_until=None
    )
    _held.discard(cast(uuid.UUID, sandbox.lease_holder))


def renew_all() -> None:
    """Keep what this process is working on."""
    if _held:
        Sandbox.objects.filter(lease_holder__in=list(_held)).update(
            lease_until=timezone.now() + LEASE
        )


def release_all() -> None:
    """Give up what this process is working on, at its end."""
    Sandbox.objects.filter(lease_holder__in=list(_held)).update(
        lease_until=timezone.now(), lease_holder=None
    )
