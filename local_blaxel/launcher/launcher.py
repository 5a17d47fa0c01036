"""The Launcher: every sandbox on this machine, by instance."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import subprocess
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from . import disks, processes, runtime, state_dir, tools
from .channel import ask, asking
from .confinement import Bubblewrap, Confinement, Plain
from .folders import Folders, copy_tree, placed_in, remove_tree, unlock
from .model import Activity, LaunchError, LaunchSpec, Mount, NothingListens
from .probe import PROBE

logger = logging.getLogger(__name__)

POOL_SIZE = 2
# The pool is filled again once the sandbox that emptied it has had the machine for itself.
REFILL_AFTER = 0.5
START_SECONDS = 30.0
TRASH = "trash-"


class Launcher:
    """Starts sandboxes and finds them again.

    Each has a folder in the state directory, named by its instance: ``disk``, its two sockets, its
    log, and ``claimed`` from when it belongs to a sandbox. What is not claimed is the pool:
    agents that were started before anyone asked, so that `start` only has to configure one.
    """

    def __init__(
        self,
        folder: Path,
        *,
        isolation: str | None = None,
        pool_size: int = POOL_SIZE,
        reserve_mb: int = 0,
    ) -> None:
        """Raises LaunchError when sandboxes can't be confined here and "none" was not asked for."""
        self._state_dir = folder.resolve()
        self._state_dir.mkdir(parents=True, exist_ok=True)
        self._state_dir.chmod(0o700)
        state_dir.check_path_length(self._state_dir)
        self._confinement: Confinement = (
            Plain() if isolation == "none" else Bubblewrap(self._state_dir)
        )
        self._uid = tools.ordinary_uid() if self.isolation == Bubblewrap.name else None
        self._lock = state_dir.lock(self._state_dir)
        self.volumes = Folders(self._state_dir / "volumes", self._uid)
        self.snapshots = Folders(self._state_dir / disks.KEPT, self._uid)
        self._children: set[int] = set()
        disks.move_kept_from_earlier(self._state_dir)
        self._sweep()
        self._runtime = runtime.prepare(
            self._state_dir, self._confinement.hidden, needs_folders=self._confinement.needs_folders
        )
        if not self.instances():
            runtime.remove_others(self._state_dir, self._runtime)
        self._pool_size = pool_size
        self._reserve_mb = reserve_mb
        # The instances in the pool, each with the process that was started for it.
        self._pool: dict[str, int] = {}
        self._refill_timer: asyncio.TimerHandle | None = None
        self._refill()

    @property
    def isolation(self) -> str:
        return self._confinement.name

    def describe(self) -> str:
        """Return how sandboxes are confined here, in one line for people."""
        return self._confinement.describe()

    def instances(self) -> list[str]:
        """Every sandbox that was started and not stopped, even if no record names it."""
        folders = state_dir.folders(self._state_dir)
        return [folder.name for folder in folders if (folder / "claimed").exists()]

    async def start(self, spec: LaunchSpec) -> str:
        instance = await self._take(spec.mounts)
        # From here on a restarted server finds it among `instances`, not in the pool.
        (self._state_dir / instance / "claimed").touch()
        try:
            if spec.files is not None:
                await self._furnish(instance, spec.files)
            await self._configure(instance, spec)
        except BaseException:
            await asyncio.shield(self.stop(instance))
            raise
        finally:
            self._refill_later()
        return instance

    async def adopt(self, instance: str) -> bool:
        """Return whether the sandbox still runs and its agent answers."""
        try:
            await ask(self._control(instance), {"do": "ping"})
        except ConnectionError:
            return False
        return self.is_alive(instance)

    async def restart(self, instance: str, spec: LaunchSpec) -> None:
        """A new agent on the same files; everything that ran is gone."""
        await asyncio.to_thread(self._kill, instance)
        self._launch(instance, spec.mounts)
        await self._configure(instance, spec)

    async def run_tool(
        self, folder: Path, cwd: str, command: list[str], seconds: float
    ) -> tuple[int, str]:
        """A program of this machine run on that folder: its exit code, and what it said."""
        return await tools.run(self._confinement.tool(folder, cwd, command), seconds)

    def files(self, instance: str) -> Path:
        """All that a sandbox stores but what lies on volumes."""
        return disks.files(self._state_dir / instance)

    async def restore(self, instance: str, spec: LaunchSpec, files: Path) -> None:
        """A new agent on a copy of these files, in place of the sandbox's own."""
        new = self.files(instance).with_name("files.new")
        await asyncio.to_thread(remove_tree, new)
        try:
            await asyncio.to_thread(copy_tree, files, new)
        except subprocess.CalledProcessError as exc:
            raise LaunchError(f"its files can't be copied from {files.name}") from exc
        await asyncio.to_thread(self._kill, instance)
        old = new.with_name("files.old")
        await asyncio.to_thread(remove_tree, old)
        self.files(instance).rename(old)
        await self.restart(instance, spec)
        await asyncio.to_thread(remove_tree, old)

    async def shelve(self, instance: str, target: Path) -> None:
        """Move a sandbox's files out of it, and leave nothing else of it."""
        await asyncio.to_thread(self._kill, instance)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        if not target.exists():
            self.files(instance).rename(target)
        await self.stop(instance)

    def agent_socket(self, instance: str) -> Path:
        return self._state_dir / instance / "http"

    async def dial(self, instance: str, port: int) -> socket.socket:
        """A connected, non-blocking socket to the port inside.

        Raises NothingListens when it is refused, ConnectionError when no agent answers.
        """
        answer = await self._ask(instance, {"do": "dial", "port": port})
        if "socket" not in answer:
            raise NothingListens(f"nothing listens on port {port}")
        connection: socket.socket = answer["socket"]
        return connection

    @contextlib.asynccontextmanager
    async def way_out(self, instance: str) -> AsyncIterator[tuple[socket.socket, socket.socket]]:
        """The listening socket to which the sandbox's programs bring what goes to the internet.

        With it comes a line on which nothing is ever said: it ends when the agent does. Raises
        ConnectionError when no agent answers, or one that has no such socket.
        """
        async with asking(self._control(instance), {"do": "way_out"}) as (answer, line):
            if "socket" not in answer:
                raise ConnectionError("the agent has no way out")
            with answer["socket"] as listener:
                yield listener, line

    async def activity(self, instance: str) -> Activity:
        answer = await self._ask(instance, {"do": "activity"})
        return Activity(processes=answer["processes"], keep_alive=answer["keep_alive"])

    async def limit_disks(self, instance: str, spec: LaunchSpec) -> None:
        """Let its disks become as large as they are in the spec. Raises ConnectionError."""
        await self._ask(instance, {"do": "limit_disks", **self._disks(spec)})

    async def freeze(self, instance: str) -> None:
        """Stop everything in the sandbox but the agent, which goes on answering."""
        freezer = self._confinement.cgroups.freezer
        awake = state_dir.known(self._state_dir / instance)["awake"]
        await self._ask(instance, {"do": "freeze", "by_signals": freezer is None})
        if freezer is not None and awake:
            await asyncio.to_thread(freezer.freeze, instance, set(awake))

    async def thaw(self, instance: str) -> None:
        self._thaw_cgroup(instance)
        await self._ask(instance, {"do": "thaw"})

    def is_alive(self, instance: str) -> bool:
        processes.reap(self._children)
        init = state_dir.known(self._state_dir / instance)["init"]
        return init is not None and processes.has_instance(init, instance)

    async def stop(self, instance: str) -> None:
        """Leave nothing of it: processes, mounts, cgroups, sockets, files. Does nothing twice."""
        await asyncio.to_thread(self._destroy, instance)

    async def close(self) -> None:
        """The server ends: sandboxes go on, the pool does not."""
        if self._refill_timer is not None:
            self._refill_timer.cancel()
        pool, self._pool, self._pool_size = self._pool, {}, 0
        await asyncio.gather(*(self.stop(instance) for instance in pool))
        os.close(self._lock)

    async def _take(self, mounts: tuple[Mount, ...]) -> str:
        # What is mounted is decided at the start: the pool has nothing for it.
        while self._pool and not mounts:
            instance = next(iter(self._pool))
            if processes.has_instance(self._pool.pop(instance), instance):
                return instance
            await self.stop(instance)
        try:
            instance = self._new_instance()
            self._launch(instance, mounts)
        except OSError as exc:
            raise LaunchError(f"the sandbox did not start: {exc}") from exc
        return instance

    def _new_instance(self) -> str:
        instance = secrets.token_hex(8)
        folder = self._state_dir / instance
        folder.mkdir(mode=0o700)
        self._confinement.furnish(folder)
        return instance

    def _launch(self, instance: str, mounts: tuple[Mount, ...] = ()) -> int:
        """Start an agent in the sandbox's folder, which may still be on its way afterwards."""
        folder = self._state_dir / instance
        files = self.files(instance)
        if not files.exists():
            # Restoring others was broken off between its two steps.
            files.with_name("files.new").rename(files)
        for own in files.iterdir():
            unlock(own)
        with contextlib.ExitStack() as stack:
            http = stack.enter_context(state_dir.listen(folder / "http"))
            control = stack.enter_context(state_dir.listen(folder / "control"))
            log = stack.enter_context(open(folder / "log", "ab"))
            sockets = [http, control]
            placed = placed_in(folder, mounts, self._uid)
            spawn = self._confinement.spawn
            pid = spawn(instance, folder, self._runtime, sockets, log.fileno(), placed)
        self._children.add(pid)
        return pid

    async def _furnish(self, instance: str, files: Path) -> None:
        try:
            await asyncio.to_thread(tools.copy_into, files, self.files(instance) / disks.HOME)
        except subprocess.CalledProcessError as exc:
            reason = exc.stderr.decode(errors="replace").strip()
            raise LaunchError(f"its files can't be copied: {reason}") from exc

    async def _configure(self, instance: str, spec: LaunchSpec) -> None:
        request: dict[str, Any] = {"do": "configure", "name": spec.name, "image": spec.image}
        request |= {"memory_mb": spec.memory_mb, "envs": spec.envs}
        request |= self._disks(spec)
        if spec.service is not None:
            request["service"] = asdict(spec.service)
        try:
            await ask(self._control(instance), request, START_SECONDS)
        except ConnectionError as exc:
            log = state_dir.end_of_log(self._state_dir / instance / "log")
            reason = log.strip().splitlines()[-1:] or [str(exc)]
            raise LaunchError(f"the sandbox did not start: {reason[0]}") from exc
        await asyncio.to_thread(self._remember, instance)
        self._confinement.cgroups.limit(instance, spec.memory_mb)

    def _disks(self, spec: LaunchSpec) -> dict[str, Any]:
        return {"disks": self._confinement.disks(spec), "reserve_mb": self._reserve_mb}

    def _remember(self, instance: str) -> None:
        """Note, before anyone runs anything in it, which processes make the sandbox itself."""
        pids = processes.find(instance)
        known = {"init": self._confinement.init_among(pids), "awake": sorted(pids)}
        state_dir.remember(self._state_dir / instance, known)

    async def _ask(self, instance: str, request: dict[str, Any]) -> dict[str, Any]:
        answer = await ask(self._control(instance), request)
        if "error" in answer:
            raise ConnectionError(answer["error"])
        return answer

    def _control(self, instance: str) -> Path:
        return self._state_dir / instance / "control"

    def _refill_later(self) -> None:
        if self._refill_timer is not None:
            self._refill_timer.cancel()
        loop = asyncio.get_running_loop()
        self._refill_timer = loop.call_later(REFILL_AFTER, self._refill)

    def _refill(self) -> None:
        try:
            while len(self._pool) < self._pool_size:
                instance = self._new_instance()
                self._pool[instance] = self._launch(instance)
        except OSError:
            # The next request for a sandbox reports it; the pool only saves time.
            logger.warning("The pool of sandboxes can't be filled", exc_info=True)

    def _kill(self, instance: str) -> None:
        # A process that the v1 freezer holds does not even die.
        self._thaw_cgroup(instance)
        leader = state_dir.known(self._state_dir / instance)["init"]
        (self._state_dir / instance / "processes").unlink(missing_ok=True)
        processes.kill(instance)
        if leader is not None and self.isolation == "none":
            processes.kill_session(leader)
        processes.reap(self._children)
        self._confinement.cgroups.remove(instance)

    def _thaw_cgroup(self, instance: str) -> None:
        if self._confinement.cgroups.freezer is not None:
            self._confinement.cgroups.freezer.thaw(instance)

    def _destroy(self, instance: str) -> None:
        folder = self._state_dir / instance
        self._kill(instance)
        with contextlib.suppress(FileNotFoundError):
            trash = folder.rename(self._state_dir / f"{TRASH}{instance}")
            remove_tree(trash)

    def _sweep(self) -> None:
        """Remove what a killed server left: its pool, and what it was in the middle of."""
        for pattern in (f"{TRASH}*", f"{PROBE}*"):
            for folder in self._state_dir.glob(pattern):
                remove_tree(folder)
        for folder in state_dir.folders(self._state_dir):
            if not (folder / "claimed").exists():
                self._destroy(folder.name)
                continue
            disks.move_from_earlier(folder)
            files = self.files(folder.name)
            if files.exists():
                remove_tree(files.with_name("files.new"))
            remove_tree(files.with_name("files.old"))
