"""Identity of this installation of Manta among others."""

import uuid

from django.db import models


def _new_key() -> str:
    return uuid.uuid4().hex[:16]


class Installation(models.Model):
    """One row: what tells our sandboxes from those of another Manta in the same workspace.

    It is also the lock under which sandboxes are counted.
    """

    key = models.CharField(max_length=32, default=_new_key)

    def __str__(self) -> str:
        return self.key

    @classmethod
    def current(cls) -> "Installation":
        return cls.objects.get_or_create(pk=1)[0]

    @classmethod
    def lock(cls) -> None:
        """Keep other transactions from counting until this one ends. SQLite's never run at once."""
        cls.current()
        cls.objects.select_for_update().get(pk=1)
