"""Types of the calls between the launcher and the rest of local_blaxel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

# What an image brings counts, too, which it does not in the cloud.
LEAST_DISK_MB = 1024


class LaunchError(Exception):
    """A sandbox, or sandboxes at all, can't be started here; the text says why and what to do."""


class NothingListens(Exception):
    """The connection was refused inside the sandbox."""


@dataclass(frozen=True)
class Mount:
    """A folder of this machine at an absolute path inside; without a source, scratch space.

    What is not only read has a size.
    """

    target: str
    source: Path | None
    read_only: bool
    size_mb: int = 0


@dataclass(frozen=True)
class Service:
    """A service that runs from a sandbox's start: `command` in `folder` of the home, on `port`."""

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

    @property
    def disk_mb(self) -> int:
        """Return the size of /blaxel and /var: half of the memory, as in the cloud."""
        return max(self.memory_mb // 2, LEAST_DISK_MB)


@dataclass(frozen=True)
class Activity:
    """Numbers of processes that were started through the API, and of those that keep it awake."""

    processes: int
    keep_alive: int
