"""Permissions of an agent's connection: its tools, its folder and its expiry.

A connection is a personal token or an agent that was let in; it is named by its Grant.key.
"""

import posixpath
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.models import AgentPermissions, Capability, User
from accounts.sessions import batches


@dataclass(frozen=True)
class Permissions:
    capabilities: frozenset[str]
    # An absolute folder without a slash at its end; "" for all of the sandbox.
    path_prefix: str = ""
    expires_at: datetime | None = None

    @property
    def has_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def is_full(self) -> bool:
        return self == FULL

    def covers(self, path: str) -> bool:
        """Return whether an absolute path lies below the prefix, as text."""
        path = normalised(path)
        return not self.path_prefix or f"{path}/".startswith(f"{self.path_prefix}/")


FULL = Permissions(frozenset(Capability.values))
NONE = Permissions(frozenset())


def of(key: str) -> Permissions:
    """Return a connection's permissions: all of them unless it was issued narrower ones."""
    row = next(iter(AgentPermissions.objects.filter(key=key)), None)
    if row is None:
        return FULL
    # A capability that Manta no longer knows grants nothing.
    capabilities = frozenset(
        capability for capability in row.capabilities if capability in Capability
    )
    return Permissions(capabilities, row.path_prefix, row.expires_at)


def expired(keys: Collection[str]) -> set[str]:
    """Return those of the connections whose permissions have expired."""
    over = AgentPermissions.objects.filter(expires_at__lte=timezone.now())
    return {
        key
        for batch in batches(keys)
        for key in over.filter(key__in=batch).values_list("key", flat=True)
    }


def issue(
    *,
    user: User,
    key: str,
    capabilities: Any,
    path_prefix: str = "",
    expires_at: datetime | None = None,
) -> Permissions:
    """Replace the permissions of a connection, from its next call on."""
    path_prefix = normalised(path_prefix) if path_prefix else ""
    if not set(capabilities) <= set(Capability.values):
        raise ValueError("There is no such capability.")
    if path_prefix and Capability.RUN in capabilities:
        raise ValueError("Commands can't be limited to a folder: a command can read any file.")
    AgentPermissions.objects.update_or_create(
        user=user,
        key=key,
        defaults={
            "capabilities": sorted(capabilities),
            "path_prefix": path_prefix,
            "expires_at": expires_at,
        },
    )
    return Permissions(frozenset(capabilities), path_prefix, expires_at)


def normalised(path: str) -> str:
    """Return a path without "..", "." and double slashes. "/" is written as ""."""
    path = posixpath.normpath("/" + path.lstrip("/"))
    return "" if path == "/" else path
