"""Sandboxes at the provider that carry Manta's label, and that no row stands for.

They are listed, and never deleted but by name or by word of an admin: see `manage.py orphans`.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.utils import timezone

from accounts.models import User
from sandboxes import audit, control_plane, errors
from sandboxes.control_plane.types import ProviderSandbox
from sandboxes.models import Action, Installation, Orphan, Sandbox, status
from sandboxes.reconciler.observation import is_ours

# A younger one may belong to a row that is only just being written.
YOUNGEST = timedelta(hours=1)


def find() -> list[Orphan]:
    """Look at every sandbox of the workspace now. Raises a ProviderError."""
    now, found = timezone.now(), []
    for page in control_plane.sandboxes.list_pages():
        rows = rows_of(page)
        found += among(page, rows, seen_at=now)
    return found


def rows_of(page: Iterable[ProviderSandbox]) -> dict[str, Sandbox]:
    rows = Sandbox.objects.filter(name__in=[record.name for record in page])
    return {row.name: row for row in rows.select_related("owner")}


def among(
    page: Iterable[ProviderSandbox], rows: Mapping[str, Sandbox], *, seen_at: datetime
) -> list[Orphan]:
    """Return the sandboxes that have no row, or are not those of the row of their name."""
    key = Installation.current().key
    found = []
    for record in page:
        reason = _reason(record, rows.get(record.name), key)
        if reason and record.status not in status.GONE:
            found.append(_described(record, reason, seen_at))
    return found


def note(found: list[Orphan]) -> None:
    """Keep what a look found, for the admin."""
    fields = [field.name for field in Orphan._meta.fields if not field.primary_key]
    Orphan.objects.bulk_create(
        found,
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=[name for name in fields if name not in ("name", "first_seen_at")],
    )


def forget_unseen(since: datetime) -> None:
    """Delete the orphans that a look at everything did not find."""
    Orphan.objects.filter(seen_at__lt=since).delete()


def owner_of(orphan: Orphan) -> User | None:
    """Return the user who gets it back at their next sign-in, or None."""
    if orphan.reason != Orphan.Reason.NO_ROW or not orphan.owner_label.isdecimal():
        return None
    owner = User.objects.filter(pk=int(orphan.owner_label)).first()
    return owner if owner and orphan.name == f"user-{owner.pk}" else None


def why_not_deletable(orphan: Orphan) -> str:
    """Return why Manta does not delete it even on request, or "" if it does."""
    if orphan.reason != Orphan.Reason.NO_ROW:
        return str(orphan.get_reason_display())
    if orphan.installation_label != Installation.current().key:
        return "its label doesn't name this installation; delete it at the provider"
    created_at = orphan.provider_created_at
    if created_at is None or timezone.now() - created_at < YOUNGEST:
        return "it is younger than an hour, or its age is not known"
    return ""


def delete(name: str) -> None:
    """Delete one, after looking at it again. Raises SandboxGone, WrongOwner, or ProviderError."""
    record = control_plane.sandboxes.get(name)
    if record is None or record.status in status.GONE:
        raise errors.SandboxGone(f"{name} is no longer there.")
    found = among([record], rows_of([record]), seen_at=timezone.now())
    why_not = why_not_deletable(found[0]) if found else "it is no orphan"
    if why_not:
        raise errors.WrongOwner(f"{name} is left alone: {why_not}.")
    control_plane.sandboxes.delete(name)
    reason = "It belonged to no user, and an administrator deleted it."
    audit.record(Sandbox(name=name), Action.DELETED, reason=reason)


def _reason(record: ProviderSandbox, row: Sandbox | None, key: str) -> Orphan.Reason | None:
    installation = record.labels.get("manta-installation")
    if row is not None and is_ours(row, record):
        return None
    if row is None and "manta-owner" not in record.labels:
        return None  # not Manta's at all
    if installation not in (None, key):
        return Orphan.Reason.OTHER_INSTALLATION
    return Orphan.Reason.OTHER_OWNER if row else Orphan.Reason.NO_ROW


def _described(record: ProviderSandbox, reason: Orphan.Reason, seen_at: datetime) -> Orphan:
    return Orphan(
        name=record.name[:255],
        reason=reason,
        owner_label=record.labels.get("manta-owner", "")[:255],
        installation_label=record.labels.get("manta-installation", "")[:255],
        image=record.image[:255],
        memory_mb=record.memory_mb,
        region=record.region[:64],
        provider_created_at=record.created_at,
        seen_at=seen_at,
    )
