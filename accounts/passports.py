"""Permissions of an agent's connection: its tools, its folder and its expiry.

A connection is a personal token or an agent that was let in; it is named by its Grant.key.
"""

import posixpath
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.models import Ability, AgentPassport, User


@dataclass(frozen=True)
class Passport:
    abilities: frozenset[str]
    # An absolute folder without a slash at its end; "" for all of the sandbox.
    path_prefix: str = ""
    expires_at: datetime | None = None

    @property
    def has_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def is_full(self) -> bool:
        return self == FULL

    @property
    def ability_labels(self) -> list[str]:
        return [str(ability.label) for ability in Ability if ability in self.abilities]

    def covers(self, path: str) -> bool:
        """Return whether an absolute path lies below the prefix, as text."""
        path = normalised(path)
        return not self.path_prefix or f"{path}/".startswith(f"{self.path_prefix}/")


FULL = Passport(frozenset(Ability.values))


def of(key: str) -> Passport:
    """A connection's; one for which none was issued may do everything."""
    row = next(iter(AgentPassport.objects.filter(key=key)), None)
    if row is None:
        return FULL
    # An ability that Manta no longer knows grants nothing.
    abilities = frozenset(ability for ability in row.abilities if ability in Ability)
    return Passport(abilities, row.path_prefix, row.expires_at)


def issue(
    *,
    user: User,
    key: str,
    abilities: Any,
    path_prefix: str = "",
    expires_at: datetime | None = None,
) -> Passport:
    """Give a connection its passport, in place of the one before. It counts from the next call."""
    path_prefix = normalised(path_prefix) if path_prefix else ""
    if not set(abilities) <= set(Ability.values):
        raise ValueError("A passport has only abilities that there are.")
    if path_prefix and Ability.RUN in abilities:
        raise ValueError("A command reads what it likes: no folder holds it.")
    AgentPassport.objects.update_or_create(
        user=user,
        key=key,
        defaults={
            "abilities": sorted(abilities),
            "path_prefix": path_prefix,
            "expires_at": expires_at,
        },
    )
    return Passport(frozenset(abilities), path_prefix, expires_at)


def normalised(path: str) -> str:
    """Return a path without "..", "." and double slashes. "/" is written as ""."""
    path = posixpath.normpath("/" + path.lstrip("/"))
    return "" if path == "/" else path
