"""State of the sandbox that the agent serves."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from . import limits

# A pool's agent is started before it has a name; until then nothing here is asked for.
DEFAULT_MEMORY_MB = 4096


@dataclass(frozen=True)
class Disk:
    """Folders whose content is limited together, in bytes."""

    paths: tuple[str, ...]
    limit: int

    @property
    def name(self) -> str:
        return self.paths[0]


@dataclass
class Sandbox:
    instance: str
    home: str
    isolation: str
    environ: dict[str, str]
    name: str = ""
    image: str = ""
    memory_mb: int = DEFAULT_MEMORY_MB
    upgrade_count: int = 0
    disks: tuple[Disk, ...] = ()
    # What must stay free on the machine, whose other programs would fail without.
    reserve: int = 0
    # The name of the one that holds too much: until it holds less, nothing can be written.
    full_disk: str = ""
    started: float = field(default_factory=time.time)
    # Cleared while the sandbox is in standby, so that nothing new starts in it.
    awake: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.awake.set()

    @property
    def is_isolated(self) -> bool:
        return self.isolation != "none"

    def settle(self, pid: int) -> None:
        """Limit a process that was just started in it."""
        limits.settle(pid, is_isolated=self.is_isolated, may_write=not self.full_disk)

    @property
    def workdir(self) -> str:
        """Return the folder in which relative paths and commands start."""
        return self.environ.get("WORKDIR") or self.home

    def configure(self, *, name: str, image: str, memory_mb: int, envs: dict[str, str]) -> None:
        self.name, self.image, self.memory_mb = name, image, memory_mb
        self.environ.update(envs)
