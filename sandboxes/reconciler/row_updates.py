"""Changing the row that is being worked on."""

from typing import Any

from django.db import transaction

from sandboxes import audit
from sandboxes.models import Action, Sandbox
from sandboxes.reconciler import leases


class ConcurrentUpdate(Exception):
    """Raised when the row was changed meanwhile; that change has made it due again."""


def save(sandbox: Sandbox, **fields: Any) -> None:
    if not leases.save(sandbox, **fields):
        raise ConcurrentUpdate


def save_and_record(
    sandbox: Sandbox, action: Action, *, outcome: str = "ok", reason: str = "", **fields: Any
) -> None:
    """Change the row and put that on record, both or neither.

    No change is visible that is not on record, and a worker that is killed leaves none behind.
    """
    with transaction.atomic():
        save(sandbox, **fields)
        audit.record(sandbox, action, outcome=outcome, reason=reason)
