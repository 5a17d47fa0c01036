"""Marks on a row that tell the worker what to do, or how closely to look."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from manta.core.request_context import current_request_id
from sandboxes import errors
from sandboxes.models import WATCHED_FOR, Phase, Sandbox


def mark_due(sandbox: Sandbox, **fields: Any) -> None:
    """Change the row and make it due."""
    fields |= {"next_attempt_at": timezone.now(), "request_id": current_request_id()}
    for field, value in fields.items():
        setattr(sandbox, field, value)
    sandbox.save(update_fields=list(fields))


def refresh_sandbox(*, sandbox: Sandbox) -> None:
    """Ask the worker to look at the provider now."""
    mark_due(sandbox)


def keep_fresh(sandbox: Sandbox) -> None:
    """Have the worker keep the row fresh for a while, because a page is showing it."""
    now = timezone.now()
    # Half the time is the limit: a page that polls each second costs one write in five reads.
    if sandbox.watched_until is None or sandbox.watched_until < now + WATCHED_FOR / 2:
        Sandbox.objects.filter(pk=sandbox.pk).update(watched_until=now + WATCHED_FOR)


def touch(sandbox: Sandbox) -> None:
    """Note that the person used it; the worker moves the expiry when an hour has passed."""
    now = timezone.now()
    if now - sandbox.used_at > timedelta(hours=1):
        mark_due(sandbox, used_at=now)


def require_ready(sandbox: Sandbox) -> None:
    """Refuse what only a made sandbox can do. Raises SandboxGone, BeingDeleted or SandboxBusy."""
    if sandbox.phase == Phase.GONE:
        raise errors.SandboxGone
    if sandbox.phase == Phase.DELETING:
        raise errors.BeingDeleted("Your sandbox is being deleted. Try again in a moment.")
    if sandbox.phase != Phase.READY or not sandbox.url:
        raise errors.SandboxBusy("Your sandbox is not ready yet. The panel shows its progress.")
