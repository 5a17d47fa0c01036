"""Making a port public, and private again: at once, and when its time is over.

The row comes first and goes last. A process that is killed in between, or a provider that fails,
leaves a row whose time is over, and the worker makes the port private.
"""

import logging
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from sandboxes import audit, control_plane, errors
from sandboxes.models import Action, PublicPort, Sandbox
from sandboxes.services.ports import require_open_to_previews
from sandboxes.services.rows import require_ready, use

logger = logging.getLogger(__name__)

# The provider deletes a preview at its date, with the private access to it. So Manta makes it
# private a little sooner; the provider's date is for when no worker runs.
_SOONER = timedelta(seconds=5)
_AT_ONCE = 50


def make_public(*, sandbox: Sandbox, port: int, lasts: timedelta | None, actor: Any) -> PublicPort:
    """Let anybody open the port who has its address, for a while or until it is made private.

    Raises PortReserved, SandboxBusy, SandboxGone, or a ProviderError.
    """
    require_open_to_previews(port)
    require_ready(sandbox)
    until = (timezone.now() + lasts).replace(microsecond=0) if lasts else None
    fields = {"until": until, "made_by": actor, "made_at": timezone.now()}
    row, _ = PublicPort.objects.update_or_create(sandbox=sandbox, port=port, defaults=fields)
    try:
        row.url = control_plane.publish_preview(sandbox.name, port, until)
    except errors.SandboxError:
        _end(row)
        raise
    detail = f"{port}, until {until:%-d %b %H:%M} UTC" if until else str(port)
    with transaction.atomic():
        row.save(update_fields=["url"])
        audit.record(sandbox, Action.MADE_PUBLIC, actor=actor, detail=detail)
    use(sandbox)
    return row


def make_private(*, sandbox: Sandbox, port: int, actor: Any) -> None:
    """Let nobody open the port but its owner; what others have open ends.

    Where the provider doesn't answer, the worker goes on trying. Raises PortReserved, SandboxBusy,
    SandboxGone, or a ProviderError.
    """
    require_open_to_previews(port)
    require_ready(sandbox)
    row = PublicPort.objects.filter(sandbox=sandbox, port=port).first()
    if row is not None:
        _end(row)
    # Also without a row: it may have been made public at the provider.
    control_plane.unpublish_preview(sandbox.name, port)
    if row is not None:
        _forget(row, actor)


def close_overdue() -> None:
    """Make private what has been public for as long as it was to be. Harmless in each worker."""
    overdue = PublicPort.objects.over(timezone.now() + _SOONER).select_related("sandbox")
    for row in overdue[:_AT_ONCE]:
        try:
            _close(row)
        except errors.SandboxError as exc:
            logger.warning("Port %s is not private yet: %s", row, exc)


def _close(row: PublicPort) -> None:
    control_plane.unpublish_preview(row.sandbox.name, row.port)
    if _forget(row, None):
        return
    again = PublicPort.objects.current().filter(pk=row.pk).first()
    if again:  # made public anew meanwhile
        control_plane.publish_preview(row.sandbox.name, row.port, again.until)


def _end(row: PublicPort) -> None:
    row.until = timezone.now()
    row.save(update_fields=["until"])


def _forget(row: PublicPort, actor: Any) -> bool:
    """Delete the row and put that on record, unless it was made public anew meanwhile."""
    with transaction.atomic():
        deleted, _ = PublicPort.objects.over(timezone.now() + _SOONER).filter(pk=row.pk).delete()
        if deleted:
            audit.record(row.sandbox, Action.MADE_PRIVATE, actor=actor, detail=str(row.port))
    return bool(deleted)


def list_previews(*, sandbox: Sandbox) -> list[control_plane.Preview]:
    """What the provider has, and the rows put right by it. Does not wake the sandbox.

    Raises SandboxBusy, SandboxGone, or a ProviderError.
    """
    require_ready(sandbox)
    previews = control_plane.list_previews(sandbox.name)
    known = set(PublicPort.objects.filter(sandbox=sandbox).values_list("port", flat=True))
    for preview in previews:
        if preview.public and preview.port not in known:  # made public at the provider
            fields = {"until": preview.expires_at, "url": preview.url}
            PublicPort.objects.get_or_create(sandbox=sandbox, port=preview.port, defaults=fields)
    return previews
