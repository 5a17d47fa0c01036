"""All sandboxes of this server: made, found, changed, ended; taken over from the last run.

Every verb that changes a sandbox holds the lock of its name, so that one creation, deletion or
restart of a name happens at a time, and the others wait and look again.
"""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from local_blaxel import changes, clock, forks, mounts
from local_blaxel.errors import Conflict, CreationTimeout, Invalid, NotDeployed, NotFound
from local_blaxel.hub.homes import Homes
from local_blaxel.hub.images import Hub, Image
from local_blaxel.launcher import Launcher, LaunchError
from local_blaxel.sandbox import Sandbox
from local_blaxel.store import Record, SandboxRow, Store
from local_blaxel.tombstones import Tombstones

logger = logging.getLogger(__name__)

# A launch is all computing: more at once take time from each other, and from every request.
LAUNCHES = 2 * (os.cpu_count() or 1)
NEW_ENVIRONMENT = "Restarted with its new environment variables"


class Fleet:
    def __init__(self, store: Store, launcher: Launcher, hub: Hub, homes: Homes) -> None:
        self.sandboxes: dict[str, Sandbox] = {}
        self._store = store
        self._launcher = launcher
        self.hub = hub
        self._homes = homes
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._launches = asyncio.Semaphore(LAUNCHES)
        self._background: set[asyncio.Task[None]] = set()
        self.tombstones = Tombstones(store)

    async def take_over(self) -> None:
        """Adopt what runs, finish what was half made or half deleted, stop what is in no record."""
        for row in self._store.sandboxes():
            if row.phase != "TERMINATED":
                self.sandboxes[row.name] = self._sandbox(row)
        known = {sandbox.row.instance for sandbox in self.sandboxes.values()}
        # Before anything is started: what is started is not in the store at first.
        for instance in set(self._launcher.instances()) - known:
            self._in_background(self._launcher.stop(instance))
        needed = {sandbox.row.origin for sandbox in self.sandboxes.values()}
        needed |= {snapshot.id for snapshot in self._store.snapshots.all()}
        for unknown in set(self._launcher.snapshots.ids()) - needed:
            self._in_background(self._launcher.snapshots.remove(unknown))
        await asyncio.gather(*(self._adopt(sandbox) for sandbox in self.sandboxes.values()))

    async def _adopt(self, sandbox: Sandbox) -> None:
        if sandbox.row.phase == "DEPLOYED":
            sandbox.died = not await self._launcher.adopt(sandbox.instance)
            if sandbox.row.restart_due:
                # A request that comes first restarts it, too.
                sandbox.died = True
                self._in_background(self._finish_update(sandbox))
        elif sandbox.row.phase == "DEPLOYING":
            self._in_background(self._finish_creation(sandbox))
        elif sandbox.row.phase == "DELETING":
            self._in_background(self.finalize_delete(sandbox))
        elif sandbox.row.phase == "ARCHIVING":
            self._in_background(self._finish_archive(sandbox))
        elif sandbox.row.phase == "UNARCHIVING":
            self._in_background(self._finish_creation(sandbox))

    async def close(self) -> None:
        """Let go of the sandboxes; they keep running."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        for sandbox in self.sandboxes.values():
            sandbox.close_connections()
            self._store.save_sandbox(sandbox.row)

    def live(self, name: str) -> Sandbox:
        sandbox = self.sandboxes.get(name)
        if sandbox is None:
            raise NotFound(f"Sandbox {name} not found.", code="WORKLOAD_NOT_FOUND")
        return sandbox

    def by_external_id(self, external_id: str) -> Sandbox | None:
        """The live sandbox of that external id; the newest, should several have it."""
        rows = [sandbox.row for sandbox in self.sandboxes.values()]
        named = [row for row in rows if row.record["metadata"].get("externalId") == external_id]
        newest = max(named, key=lambda row: row.created_at, default=None)
        return self.sandboxes[newest.name] if newest else None

    def user_of(self, image: Image) -> Sandbox | None:
        """A sandbox that is made from this image."""
        for sandbox in self.sandboxes.values():
            if self.hub.find(sandbox.row.record["spec"]["runtime"]["image"]) == image:
                return sandbox
        return None

    def holder_of(self, volume: str) -> Sandbox | None:
        """The sandbox that this persistent volume is attached to."""
        for sandbox in self.sandboxes.values():
            attached = mounts.persistent(sandbox.row.record)
            if attached is not None and attached["name"] == volume:
                return sandbox
        return None

    def _check_volume(self, record: Record) -> None:
        attached = mounts.persistent(record)
        if record["spec"].get("volumes") and self._launcher.isolation == "none":
            raise Invalid("spec.volumes: nothing is mounted without isolation.", code=mounts.CODE)
        if attached is None:
            return
        volume = self._store.volumes.get(attached["name"])
        if volume is None:
            raise Invalid(f"Volume {attached['name']} not found.", code="VOLUME_NOT_FOUND")
        if volume.record["spec"]["region"] != record["spec"]["region"]:
            there = volume.record["spec"]["region"]
            raise Invalid(f"Volume {volume.id} is in region {there}.", code="REGION_MISMATCH")
        holder = self.holder_of(volume.id)
        if holder is not None and holder.name != record["metadata"]["name"]:
            message = f"Volume {volume.id} is attached to sandbox {holder.name}."
            raise Conflict(message, code="VOLUME_ALREADY_ATTACHED")

    async def create(
        self, record: Record, *, reuse: bool, timeout: float | None, origin: str = ""
    ) -> Sandbox:
        """Make a sandbox and wait until it answers; with `reuse`, a live one of the name is it.

        Raises Conflict, CreationTimeout (the name is free again) and NotDeployed.
        """
        name = record["metadata"]["name"]
        if not reuse:
            self.refuse_taken(name)
        deadline = None if timeout is None else asyncio.get_running_loop().time() + timeout
        async with self._holding(name, deadline) as lock:
            current = self.sandboxes.get(name)
            if current is not None and current.row.phase == "DELETING":
                await self._end(current)
            if not reuse:
                self.refuse_taken(name)
            sandbox = self.sandboxes.get(name)
            if sandbox is None or sandbox.row.phase == "FAILED":
                self._check_volume(record)
                sandbox = self._new(record, lock, origin)
            if sandbox.row.phase == "DEPLOYING":
                await self._launch(sandbox, deadline)
            return sandbox

    def refuse_taken(self, name: str) -> None:
        sandbox = self.sandboxes.get(name)
        if sandbox is not None and sandbox.row.phase not in ("FAILED", "DELETING"):
            raise Conflict(
                f"Sandbox {name} already exists.", code="SANDBOX_ALREADY_EXISTS", sandbox_name=name
            )

    @asynccontextmanager
    async def _holding(self, name: str, deadline: float | None) -> AsyncIterator[asyncio.Lock]:
        lock = self._lock(name)
        try:
            async with asyncio.timeout_at(deadline):
                await lock.acquire()
        except TimeoutError as exc:
            raise CreationTimeout(f"{name} was not ready in time.", sandbox_name=name) from exc
        try:
            yield lock
        finally:
            lock.release()

    def _new(self, record: Record, lock: asyncio.Lock, origin: str) -> Sandbox:
        now = time.time()
        record["metadata"]["updatedAt"] = clock.written(now)
        row = SandboxRow(record["metadata"]["name"], record, "DEPLOYING", now, now, origin=origin)
        sandbox = Sandbox(row, self._store, self._launcher, self.hub, lock)
        self.sandboxes[row.name] = sandbox
        sandbox.save("DEPLOYING", "Creation requested")
        return sandbox

    async def _launch(self, sandbox: Sandbox, deadline: float | None = None) -> None:
        try:
            async with asyncio.timeout_at(deadline):
                files = await self._files(sandbox)
                async with self._launches:
                    sandbox.row.instance = await self._start(sandbox, files)
        except TimeoutError as exc:
            del self.sandboxes[sandbox.name]
            self._store.forget_sandbox(sandbox.name)
            raise CreationTimeout(f"Sandbox {sandbox.name} was not ready in time.") from exc
        except LaunchError as exc:
            logger.error("%s: %s", sandbox.name, exc, exc_info=exc.__cause__)
            sandbox.save("FAILED", str(exc))
            raise NotDeployed(f"Sandbox {sandbox.name} could not be started: {exc}") from exc
        if sandbox.row.phase == "DELETING":
            sandbox.save()
            raise Conflict(f"Sandbox {sandbox.name} was deleted.", code="SANDBOX_DELETED")
        sandbox.touch()
        origin, sandbox.row.origin, sandbox.row.archive = sandbox.row.origin, "", None
        sandbox.save("DEPLOYED", "Sandbox is ready")
        await self._forget_origin(origin)

    async def _start(self, sandbox: Sandbox, files: Path | None) -> str:
        spec = sandbox.launch_spec()
        if not sandbox.row.origin:
            return await self._launcher.start(replace(spec, files=files))
        instance = await self._launcher.start(replace(spec, service=None))
        try:
            kept = self._launcher.snapshots.path(sandbox.row.origin)
            await self._launcher.restore(instance, spec, kept)
        except BaseException:
            await asyncio.shield(self._launcher.stop(instance))
            raise
        return instance

    async def _forget_origin(self, origin: str) -> None:
        """Remove files that a sandbox was made from, unless they are a snapshot's."""
        if origin and self._store.snapshots.get(origin) is None:
            await self._launcher.snapshots.remove(origin)

    def archive(self, name: str) -> Sandbox:
        """Stop a sandbox and put its files away, in the background."""
        sandbox = self._settled(name, "DEPLOYED")
        started_at = clock.written(time.time())
        sandbox.row.origin = forks.temporary_id("archive")
        sandbox.row.archive = {"key": sandbox.row.origin, "startedAt": started_at}
        sandbox.save("ARCHIVING", "Archive requested")
        self._in_background(self._finish_archive(sandbox))
        return sandbox

    def unarchive(self, name: str) -> Sandbox:
        """Start a sandbox again with the files that were put away, in the background."""
        sandbox = self._settled(name, "ARCHIVED")
        restore = {"restoreStartedAt": clock.written(time.time())}
        sandbox.row.archive = {**(sandbox.row.archive or {}), **restore}
        sandbox.save("UNARCHIVING", "Unarchive requested")
        self._in_background(self._finish_creation(sandbox))
        return sandbox

    def _settled(self, name: str, phase: str) -> Sandbox:
        sandbox = self.live(name)
        if sandbox.row.phase != phase or sandbox.lock.locked():
            raise Conflict(f"Sandbox {name} is {sandbox.row.phase}, not settled as {phase}.")
        return sandbox

    async def _finish_archive(self, sandbox: Sandbox) -> None:
        async with sandbox.lock:
            if sandbox.row.phase != "ARCHIVING":
                return
            sandbox.close_connections()
            files = self._launcher.snapshots.path(sandbox.row.origin)
            if sandbox.row.instance is not None:
                await self._launcher.shelve(sandbox.row.instance, files)
            sandbox.row.instance = None
            sandbox.row.asleep = sandbox.row.restart_due = False
            archived = {"createdAt": clock.written(time.time())}
            sandbox.row.archive = {**(sandbox.row.archive or {}), **archived}
            sandbox.save("ARCHIVED", "Files are put away; processes are gone")

    async def _files(self, sandbox: Sandbox) -> Path | None:
        if sandbox.row.origin:
            return None
        image = self.hub.find(sandbox.row.record["spec"]["runtime"]["image"])
        if image is None:
            return None
        return await self._homes.of(image, lambda message: sandbox.save("DEPLOYING", message))

    async def _finish_creation(self, sandbox: Sandbox) -> None:
        async with sandbox.lock:
            if sandbox.row.phase not in ("DEPLOYING", "UNARCHIVING"):
                return
            # No request waits for an answer; what became of it is in its record.
            with suppress(NotDeployed, Conflict):
                await self._launch(sandbox)

    async def _finish_update(self, sandbox: Sandbox) -> None:
        async with sandbox.lock:
            if sandbox.row.restart_due and sandbox.row.phase == "DEPLOYED":
                await sandbox.restart(NEW_ENVIRONMENT)

    async def update(self, name: str, body: Record) -> Sandbox:
        """Apply a full-object update; changed environment variables restart the sandbox."""
        sandbox = self.live(name)
        async with sandbox.lock:
            if sandbox.row.phase == "DELETING":
                raise NotFound(f"Sandbox {name} was deleted.")
            before = sandbox.row.record
            sandbox.row.record = changes.apply(before, body)
            sandbox.row.record["metadata"]["updatedAt"] = clock.written(time.time())
            differs = changes.envs_differ(before, sandbox.row.record)
            sandbox.row.restart_due |= sandbox.row.instance is not None and differs
            sandbox.save()
            if sandbox.row.restart_due:
                await sandbox.restart(NEW_ENVIRONMENT)
        return sandbox

    def delete(self, name: str) -> Sandbox:
        """Mark a sandbox deleted and erase it in the background."""
        sandbox = self.live(name)
        if sandbox.row.phase != "DELETING":
            sandbox.save("DELETING", "Deletion requested")
            self._in_background(self.finalize_delete(sandbox))
        return sandbox

    async def finalize_delete(self, sandbox: Sandbox, reason: str = "Sandbox was deleted") -> None:
        """Stop a sandbox, erase its files and leave a tombstone."""
        async with sandbox.lock:
            if self.sandboxes.get(sandbox.name) is sandbox:
                await self._end(sandbox, reason)

    async def _end(self, sandbox: Sandbox, reason: str = "Sandbox was deleted") -> None:
        if sandbox.row.phase != "DELETING":
            sandbox.save("DELETING", reason)
        sandbox.close_connections()
        if sandbox.row.instance is not None:
            await self._launcher.stop(sandbox.row.instance)
        sandbox.row.instance = None
        sandbox.row.asleep = False
        sandbox.row.ended_at = time.time()
        # The tombstone last: a kill before it leaves a deletion to finish.
        self._store.forget_belongings(sandbox.name)
        await self._forget_origin(sandbox.row.origin)
        sandbox.save("TERMINATED", reason)
        del self.sandboxes[sandbox.name]

    def _sandbox(self, row: SandboxRow) -> Sandbox:
        return Sandbox(row, self._store, self._launcher, self.hub, self._lock(row.name))

    def _lock(self, name: str) -> asyncio.Lock:
        lock = self._locks.get(name)
        if lock is None:
            lock = self._locks[name] = asyncio.Lock()
        return lock

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._logged(work))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _logged(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            # The outermost frame of a background task: lifecycle looks at the sandbox again.
            logger.exception("Background work failed")
