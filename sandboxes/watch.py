"""Keeping the rows true: a look at the provider's list, which wakes no sandbox."""

import logging
from datetime import datetime, timedelta

from django.utils import timezone

from sandboxes import errors, gateway, status
from sandboxes.gateway import ProviderSandbox
from sandboxes.models import Heartbeat, Phase, Sandbox
from sandboxes.reconcile.seen import observe
from sandboxes.reconcile.starter import STARTER_EVERY
from sandboxes.status import Status

logger = logging.getLogger(__name__)

# Every row is looked at this often; those that somebody reads, at each call.
FULL_EVERY = timedelta(seconds=30)
_BATCH = 500


def look(last_full: datetime | None) -> datetime | None:
    """Look at the provider if anybody needs it; returns when all rows were last looked at."""
    full = last_full is None or timezone.now() - last_full >= FULL_EVERY
    rows = Sandbox.objects.filter(phase=Phase.READY) if full else Sandbox.objects.watched()
    if not full and not rows.exists():
        return last_full
    try:
        records = {record.name: record for record in gateway.list_all()}
    except errors.SandboxError as exc:
        if not Heartbeat.of(Heartbeat.Subject.PROVIDER).is_failing:  # once an outage
            logger.warning("Cannot look at the provider: %s", exc)
        Heartbeat.note(Heartbeat.Subject.PROVIDER, ok=False)
        # Also where nobody looks: a failed full look is tried again at the next call.
        return last_full
    Heartbeat.note(Heartbeat.Subject.PROVIDER, ok=True)
    _compare(list(rows), records)
    return timezone.now() if full else last_full


def _compare(rows: list[Sandbox], records: dict[str, ProviderSandbox]) -> None:
    unchanged: list[int] = []
    due: list[int] = []
    for row in rows:
        record = records.get(row.name)
        if record is None or record.status in status.GONE:
            due.append(row.pk)  # the reconciler makes sure before it says that it is gone
            continue
        # It answers, so what did not work before is over.
        seen = {**observe(row, record), "error_code": "", "error_message": ""}
        checked_at = seen.pop("checked_at")
        if all(getattr(row, field) == value for field, value in seen.items()):
            unchanged.append(row.pk)
        else:
            woke = row.status is not Status.ACTIVE
            Sandbox.objects.filter(pk=row.pk, phase=Phase.READY).update(
                checked_at=checked_at, **seen
            )
            row.provider_status, row.provider_state = record.status, record.state
            if woke and row.status is Status.ACTIVE:
                row.starter_checked_at = None
        if row.status is Status.ACTIVE and _starter_is_due(row):
            due.append(row.pk)
    now = timezone.now()
    for start in range(0, len(unchanged), _BATCH):
        batch = unchanged[start : start + _BATCH]
        Sandbox.objects.filter(pk__in=batch, phase=Phase.READY).update(checked_at=now)
    Sandbox.objects.filter(pk__in=due, next_attempt_at=None).update(next_attempt_at=now)


def _starter_is_due(row: Sandbox) -> bool:
    checked = row.starter_checked_at
    return checked is None or timezone.now() - checked >= STARTER_EVERY
