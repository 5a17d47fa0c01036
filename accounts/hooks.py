"""Registry for apps that build on accounts: callbacks that accounts call.

Those apps register in their AppConfig.ready(); accounts import none of them.
"""

from collections.abc import Callable
from typing import Any

from django.dispatch import Signal

from accounts.models import User

# Sent in the transaction that deletes a user, with the user and the actor; their rows still exist.
pre_delete_account = Signal()
# Sent when an admin has set a user's password, with the user and the actor.
password_set_by_admin = Signal()

Exporter = Callable[[User], dict[str, Any]]
_exporters: list[Exporter] = []


def register_export(export: Exporter) -> None:
    """Add what an app keeps about a person to what that person can download."""
    _exporters.append(export)


def exported(user: User) -> dict[str, Any]:
    """Return the parts of all registered apps."""
    return {name: part for export in _exporters for name, part in export(user).items()}
