"""What the rest of local_blaxel says to the launcher, and hears from it."""

from __future__ import annotations

from dataclasses import dataclass


class LaunchError(Exception):
    """A sandbox, or sandboxes at all, can't be started here; the text says why and what to do."""


class NothingListens(Exception):
    """The connection was refused inside the sandbox."""


@dataclass(frozen=True)
class LaunchSpec:
    name: str
    image: str
    memory_mb: int
    envs: dict[str, str]


@dataclass(frozen=True)
class Activity:
    """How many processes run that were started through the API, and how many keep it awake."""

    processes: int
    keep_alive: int
