"""Restarting what runs in a sandbox."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from sandboxes import audit
from sandboxes.models import Action, Phase, Sandbox
from sandboxes.services.row_updates import require_ready

# Asked for again within this time, it is the same wish: a double click.
_SAME_WISH = timedelta(seconds=5)


def restart_sandbox(*, sandbox: Sandbox, actor: Any) -> None:
    """Have every process in it ended and the starter's server started again; files stay.

    Raises SandboxGone, BeingDeleted or SandboxBusy.
    """
    require_ready(sandbox)
    now = timezone.now()
    rows = Sandbox.objects.filter(pk=sandbox.pk, phase=Phase.READY, restart_wanted_at=None)
    news = rows.exclude(restarted_at__gt=now - _SAME_WISH)
    with transaction.atomic():
        if news.update(restart_wanted_at=now, next_attempt_at=now):
            audit.record(sandbox, Action.RESTART_REQUESTED, actor=actor)
    sandbox.refresh_from_db()
