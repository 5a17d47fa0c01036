"""Deleting sandboxes, and accounts with all of theirs."""

from typing import Any

from django.db import transaction

from accounts.models import User
from sandboxes import events, tasks
from sandboxes.models import Action, Phase, Sandbox
from sandboxes.services.rows import mark


def delete_sandbox(*, sandbox: Sandbox, actor: Any) -> None:
    """Have the sandbox deleted with everything in it. The row goes when it is gone."""
    if sandbox.phase == Phase.DELETING:
        return
    mark(sandbox, phase=Phase.DELETING, attempts=0, error_code="", error_message="")
    events.record(sandbox, Action.DELETE_REQUESTED, actor=actor)
    tasks.kick(sandbox.pk)


def delete_account(*, user: User) -> None:
    """Delete the user; their sandboxes are deleted by the worker, however long that takes."""
    with transaction.atomic():
        for sandbox in user.sandboxes.all():
            delete_sandbox(sandbox=sandbox, actor=user)
        user.delete()
