"""Keeping a sandbox for longer."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from sandboxes import audit
from sandboxes.models import Action, Phase, Reminder, Sandbox, reminder_schedule
from sandboxes.models.expiry import extension_of
from sandboxes.services.row_updates import require_ready

# Asked for again within this time, it is the same wish: a double click.
_SAME_WISH = timedelta(minutes=1)


def extend_sandbox(*, sandbox: Sandbox, actor: Any) -> None:
    """Have it kept for its whole TTL from now; the worker moves the date at the provider.

    Raises SandboxGone, BeingDeleted or SandboxBusy.
    """
    require_ready(sandbox)
    until = extension_of(sandbox)
    rows = Sandbox.objects.filter(pk=sandbox.pk, phase=Phase.READY)
    news = rows.exclude(extended_until__gt=until - _SAME_WISH)
    with transaction.atomic():
        if news.update(extended_until=until, next_attempt_at=timezone.now()):
            audit.record(sandbox, Action.EXTENDED, actor=actor, detail=until.isoformat())
    sandbox.refresh_from_db()


def dismiss_reminder(*, sandbox: Sandbox) -> None:
    """Hide the reminder on pages. A user who has seen it needs no e-mail about it either."""
    lead = reminder_schedule.current(sandbox.expires_at, sandbox.ttl)
    if lead and sandbox.expires_at:
        Reminder.objects.update_or_create(
            sandbox=sandbox,
            expires_at=sandbox.expires_at,
            lead=lead,
            defaults={"dismissed_at": timezone.now()},
        )
