"""Deleting an account, with everything that other apps keep for it."""

from typing import Any

from django.db import transaction

from accounts.hooks import pre_delete_account
from accounts.models import User


def delete_account(*, user: User, actor: Any = None) -> None:
    """Delete the user; their sandboxes are deleted by the worker, however long that takes.

    Without another actor it is the person's own act.
    """
    with transaction.atomic():
        pre_delete_account.send(User, user=user, actor=actor or user)
        user.delete()
