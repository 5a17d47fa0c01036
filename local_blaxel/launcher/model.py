"""What the rest of local_blaxel says to the launcher, and hears from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class LaunchError(Exception):
    """A sandbox, or sandboxes at all, can't be started here; the text says why and what to do."""


class NothingListens(Exception):
    """The connection was refused inside the sandbox."""


@dataclass(frozen=True)
class Mount:
    """A folder of this machine at an absolute path inside; without a source, scratch space."""

    target: str
    source: Path | None
    read_only: bool


@dataclass(frozen=True)
class Service:
    """What runs in a sandbox from its start: `command` in `folder` of the home, on `port`."""

    name: str
    command: str
    folder: str
    port: int


@dataclass(frozen=True)
class LaunchSpec:
    """`files` is a folder whose content a new sandbox finds in its home."""

    name: str
    image: str
    memory_mb: int
    envs: dict[str, str]
    mounts: tuple[Mount, ...] = ()
    files: Path | None = None
    service: Service | None = None


@dataclass(frozen=True)
class Activity:
    """How many processes run that were started through the API, and how many keep it awake."""

    processes: int
    keep_alive: int
