"""The terminals that a person keeps open, by name. Their shells are inside the sandbox."""

import secrets
from typing import Any, ClassVar

from django.db import models

from sandboxes.models.sandbox import Sandbox


def new_key() -> str:
    return secrets.token_hex(6)


class TerminalQuerySet(models.QuerySet["Terminal"]):
    def for_sandbox(self, sandbox: Sandbox) -> "TerminalQuerySet":
        return self.filter(sandbox=sandbox)


class Terminal(models.Model):
    """Blaxel can't list its terminals; so that every browser shows the same, they are here."""

    sandbox = models.ForeignKey(Sandbox, on_delete=models.CASCADE, related_name="terminals")
    # What its session is called inside: never another's, also after it is closed.
    key = models.CharField(max_length=32, unique=True, default=new_key, editable=False)
    name = models.CharField(max_length=40)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[Any] = TerminalQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.sandbox_id}: {self.name}"
