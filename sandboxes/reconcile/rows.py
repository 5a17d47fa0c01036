"""Changing the row that is being worked on."""

from typing import Any

from sandboxes import leases
from sandboxes.models import Sandbox


class Overtaken(Exception):
    """Somebody changed the row under us: whoever did has made it due again."""


def save(sandbox: Sandbox, **fields: Any) -> None:
    if not leases.save(sandbox, **fields):
        raise Overtaken
