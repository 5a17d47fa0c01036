"""Keeping the rows true: a look at the provider, which wakes no sandbox."""

import logging
from collections.abc import Iterable, Mapping
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from sandboxes import control_plane, errors
from sandboxes.control_plane.types import ProviderSandbox
from sandboxes.models import Heartbeat, Phase, Sandbox, status
from sandboxes.models.status import Status
from sandboxes.reconciler import orphans
from sandboxes.reconciler.observation import is_ours, note_drift, observe
from sandboxes.reconciler.starter import STARTER_EVERY

logger = logging.getLogger(__name__)

# Every row is looked at this often, by one of the workers; those that pages show, at each call.
FULL_EVERY = timedelta(seconds=30)


def sync_watched() -> None:
    """Look at the rows that pages show: one by one, or by the list where that is less."""
    rows = {row.name: row for row in Sandbox.objects.watched().select_related("owner")}
    if not rows:
        return
    made = Sandbox.objects.filter(phase=Phase.READY)
    # As many as the list has pages, with a margin for what isn't Manta's.
    one_by_one = made[len(rows) * control_plane.sandboxes.PAGE :].exists()
    try:
        records = _each(rows) if one_by_one else _listed(rows)
    except errors.SandboxError as exc:
        _record_outage(exc)
        return
    Heartbeat.note(Heartbeat.Subject.PROVIDER, ok=True)
    _compare(rows.values(), records)


def sync_all() -> None:
    """Look at every row, when it is time; a page of the list at a time."""
    if not Heartbeat.claim(Heartbeat.Subject.FULL_LOOK, every=FULL_EVERY):
        return
    started = timezone.now()
    try:
        for page in control_plane.sandboxes.list_pages():
            rows = orphans.rows_of(page)
            ready = [row for row in rows.values() if row.phase == Phase.READY]
            _compare(ready, {record.name: record for record in page})
            orphans.note(orphans.among(page, rows, seen_at=timezone.now()))
    except errors.SandboxError as exc:
        _record_outage(exc)
        # Also where no page is open: a failed full look is tried again at the next call.
        Heartbeat.forget(Heartbeat.Subject.FULL_LOOK)
        return
    Heartbeat.note(Heartbeat.Subject.PROVIDER, ok=True)
    orphans.forget_unseen(started)
    # In no page: the reconciler makes sure before it says that it is gone.
    unseen = Q(checked_at=None) | Q(checked_at__lt=started)
    missing = Sandbox.objects.filter(unseen, phase=Phase.READY, next_attempt_at=None)
    missing.update(next_attempt_at=timezone.now())


def _each(names: Iterable[str]) -> dict[str, ProviderSandbox]:
    found = {name: control_plane.sandboxes.get(name) for name in names}
    return {name: record for name, record in found.items() if record}


def _listed(names: Iterable[str]) -> dict[str, ProviderSandbox]:
    wanted, found = set(names), {}
    for page in control_plane.sandboxes.list_pages():
        found.update({record.name: record for record in page if record.name in wanted})
        if len(found) == len(wanted):
            break
    return found


def _record_outage(exc: Exception) -> None:
    if not Heartbeat.of(Heartbeat.Subject.PROVIDER).is_failing:  # once an outage
        logger.warning("Cannot look at the provider: %s", exc)
    Heartbeat.note(Heartbeat.Subject.PROVIDER, ok=False)


def _compare(rows: Iterable[Sandbox], records: Mapping[str, ProviderSandbox]) -> None:
    unchanged: list[int] = []
    due: list[int] = []
    for row in rows:
        record = records.get(row.name)
        if record is None or record.status in status.GONE or not is_ours(row, record):
            due.append(row.pk)  # the reconciler makes sure, and says what it finds
            continue
        if not _note_change(row, record):
            unchanged.append(row.pk)
        wakeful = row.status is Status.ACTIVE and _starter_is_due(row)
        if wakeful or "labels" in row.drift or row.session_is_due:
            due.append(row.pk)
    now = timezone.now()
    Sandbox.objects.filter(pk__in=unchanged, phase=Phase.READY).update(checked_at=now)
    Sandbox.objects.filter(pk__in=due, next_attempt_at=None).update(next_attempt_at=now)


def _note_change(row: Sandbox, record: ProviderSandbox) -> bool:
    """Store what was observed, where it differs from the row."""
    # It answers, so what did not work before is over.
    observation = {**observe(row, record), "error_code": "", "error_message": ""}
    checked_at = observation.pop("checked_at")
    if all(getattr(row, field) == value for field, value in observation.items()):
        return False
    slept = row.status is not Status.ACTIVE
    note_drift(row, observation)
    Sandbox.objects.filter(pk=row.pk, phase=Phase.READY).update(
        checked_at=checked_at, **observation
    )
    for field in ("provider_status", "provider_state", "drift"):
        setattr(row, field, observation[field])
    if slept and row.status is Status.ACTIVE:
        row.starter_checked_at = None
    return True


def _starter_is_due(row: Sandbox) -> bool:
    checked = row.starter_checked_at
    return checked is None or timezone.now() - checked >= STARTER_EVERY
