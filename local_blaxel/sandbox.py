"""One sandbox as it runs: awake or asleep, in use or idle, alive or to be started again.

A request never reaches a frozen sandbox: it counts itself in before it looks whether the sandbox
sleeps, and a freeze looks at that count, under the lock, before it marks the sandbox asleep.
"""

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar

from local_blaxel import changes, clock, expiry
from local_blaxel.activity import Use
from local_blaxel.errors import BadGateway, NotFound, Unavailable
from local_blaxel.hub.images import Hub, Image
from local_blaxel.launcher import Launcher, LaunchError, LaunchSpec, Mount, NothingListens, Service
from local_blaxel.pool import AGENT_KEPT_FOR, PORT_KEPT_FOR, Pool
from local_blaxel.store import Record, SandboxRow, Store
from local_blaxel.upstream import Connection

logger = logging.getLogger(__name__)

T = TypeVar("T")

KEPT_EVENTS = 20
# Ports whose connections are kept; of a program that asks for all of them, those of the latest.
KEPT_PORTS = 32


class Sandbox:
    def __init__(
        self, row: SandboxRow, store: Store, launcher: Launcher, hub: Hub, lock: asyncio.Lock
    ) -> None:
        self.row = row
        self._hub = hub
        self.lock = lock
        self.agent = Pool(self._dial_agent, AGENT_KEPT_FOR, is_agents=True)
        self._ports: dict[int, Pool] = {}
        self._uses: set[Use] = set()
        self.idle_since = time.monotonic()
        self.died = False
        self._saved_use = row.used_at
        self._store = store
        self._launcher = launcher

    @property
    def name(self) -> str:
        return self.row.name

    @property
    def instance(self) -> str:
        if self.row.instance is None:
            raise NotFound(f"Sandbox {self.name} does not run.", code="WORKLOAD_NOT_FOUND")
        return self.row.instance

    @property
    def state(self) -> str:
        return "STANDBY" if self.row.asleep or self.died else "RUNNING"

    @property
    def ends_at(self) -> float | None:
        used_at = time.time() if self._uses else self.row.used_at
        spec = self.row.record["spec"]
        return expiry.ends_at(spec, created_at=self.row.created_at, used_at=used_at)

    async def _dial_agent(self) -> Connection:
        return await self._reviving(lambda: Connection.to_unix(self.agent_path()))

    def port(self, number: int) -> Pool:
        """Connections to the server on a port; to take one raises what `dial` does."""
        if number not in self._ports:

            async def dial() -> Connection:
                return await Connection.over(await self.dial(number))

            if len(self._ports) >= KEPT_PORTS:
                self._ports.pop(next(iter(self._ports))).close()
            self._ports[number] = Pool(dial, PORT_KEPT_FOR)
        return self._ports[number]

    def close_connections(self) -> None:
        """Let go of all that are idle: what they lead to ends."""
        for pool in (self.agent, *self._ports.values()):
            pool.close()

    async def dial(self, port: int) -> socket.socket:
        try:
            return await self._reviving(lambda: self._launcher.dial(self.instance, port))
        except NothingListens as exc:
            raise BadGateway(
                f"Nothing listens on port {port} in sandbox {self.name}.",
                action=f"Start a server there that listens on 0.0.0.0:{port}.",
            ) from exc

    async def _reviving(self, reach: Callable[[], Awaitable[T]]) -> T:
        """Reach the agent; one that has just died is started again first."""
        try:
            return await reach()
        except (ConnectionError, FileNotFoundError) as exc:
            gone = (ConnectionRefusedError, FileNotFoundError)
            self.died = self.died or isinstance(exc.__cause__ or exc, gone)
            await self._make_ready()
        try:
            return await reach()
        except (ConnectionError, FileNotFoundError) as exc:
            raise Unavailable(f"Sandbox {self.name} does not answer.") from exc

    def agent_path(self) -> str:
        return str(self._launcher.agent_socket(self.instance))

    def launch_spec(self) -> LaunchSpec:
        runtime = self.row.record["spec"]["runtime"]
        image = self._hub.find(runtime["image"])
        if image is None:
            raise LaunchError(f"its image {runtime['image']} is not offered any more")
        root = () if image.root is None else (Mount("/", image.root, read_only=True),)
        return LaunchSpec(
            name=self.name,
            image=runtime["image"],
            memory_mb=runtime["memory"],
            envs=changes.environment(self.row.record),
            mounts=(*self._mounts(), *root),
            service=_service(image),
        )

    def _mounts(self) -> tuple[Mount, ...]:
        return tuple(self._mount(volume) for volume in self.row.record["spec"].get("volumes", []))

    def _mount(self, attached: Record) -> Mount:
        target, read_only = attached["mountPath"], attached["readOnly"]
        if attached["type"] == "ephemeral":
            return Mount(target, None, read_only, attached["sizeMb"])
        volume = self._store.volumes.get(attached["name"])
        if volume is None:
            raise LaunchError(f"its volume {attached['name']} is gone")
        folder = self._launcher.volumes.path(volume.record["folder"])
        return Mount(target, folder, read_only, volume.record["spec"]["size"])

    async def limit_disks(self) -> None:
        """Tell it that a volume of its has grown; one that does not run hears it at its start."""
        if self.row.instance is not None:
            with suppress(ConnectionError):
                await self._launcher.limit_disks(self.row.instance, self.launch_spec())

    def save(self, phase: str | None = None, message: str = "") -> None:
        """Write the row; with a phase, as a change of it that the sandbox's events tell."""
        if phase is not None:
            self.row.phase = phase
            moment = clock.written(time.time())
            event = {"type": "sandbox", "status": phase, "message": message, "time": moment}
            self.row.events = [*self.row.events, event][-KEPT_EVENTS:]
        self._store.save_sandbox(self.row)

    def save_use(self) -> None:
        """Write down the last use, if it has not been yet."""
        if self.row.used_at != self._saved_use:
            self._saved_use = self.row.used_at
            self._store.save_sandbox(self.row)

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Use]:
        """Keep the sandbox awake for one request or stream; wakes or restarts it first."""
        use = Use(self._stay_awake)
        self._uses.add(use)
        try:
            if not self._is_ready():
                await self._make_ready()
            self.touch()
            yield use
        finally:
            self._uses.discard(use)
            self.touch()

    async def _stay_awake(self) -> None:
        if self.row.asleep:
            await self._make_ready()

    def touch(self) -> None:
        self.idle_since = time.monotonic()
        self.row.used_at = time.time()

    def _is_ready(self) -> bool:
        if self.row.phase != "DEPLOYED" or self.row.asleep or self.lock.locked():
            return False
        self.died = self.died or not self._launcher.is_alive(self.instance)
        return not self.died

    async def _make_ready(self) -> None:
        async with self.lock:
            if self.row.phase == "FAILED":
                raise Unavailable(f"Sandbox {self.name} could not be started.")
            self._check_deployed()
            if self.died or not self._launcher.is_alive(self.instance):
                await self.restart("Restarted after its agent had ended; files are kept")
            elif self.row.asleep:
                await self._thaw()

    def _check_deployed(self) -> None:
        if "ARCHIV" in self.row.phase:
            raise Unavailable(f"Sandbox {self.name} is archived: unarchive it first.")
        if self.row.phase != "DEPLOYED":
            raise NotFound(f"Sandbox {self.name} was deleted.", code="WORKLOAD_NOT_FOUND")

    @asynccontextmanager
    async def still(self) -> AsyncIterator[Path]:
        """The folder with all of the sandbox's files, while none of its processes changes them."""
        async with self.lock:
            self._check_deployed()
            runs = not self.row.asleep and not self.died and self._launcher.is_alive(self.instance)
            if runs:
                self.row.asleep = True
                self.save()
                await self._launcher.freeze(self.instance)
            try:
                yield self._launcher.files(self.instance)
            finally:
                if runs:
                    await self._thaw()

    async def restore(self, files: Path, reason: str) -> None:
        """Replace the sandbox's files by a copy of these, and start it again."""
        async with self.lock:
            self._check_deployed()
            self.close_connections()
            await self._starting(self._launcher.restore(self.instance, self.launch_spec(), files))
            self.save("DEPLOYED", reason)

    async def _thaw(self) -> None:
        try:
            await self._launcher.thaw(self.instance)
        except ConnectionError as exc:
            raise Unavailable(f"Sandbox {self.name} does not wake: {exc}.") from exc
        self.row.asleep = False
        self.save()

    async def restart(self, reason: str) -> None:
        """Start a new agent on the same files. The caller holds the lock."""
        self.close_connections()
        await self._starting(self._launcher.restart(self.instance, self.launch_spec()))
        self.save("DEPLOYED", reason)

    async def _starting(self, work: Awaitable[None]) -> None:
        try:
            await work
        except LaunchError as exc:
            self.died = True
            logger.exception("%s could not be restarted", self.name)
            raise Unavailable(f"Sandbox {self.name} could not be restarted: {exc}") from exc
        self.died = False
        self.row.asleep = self.row.restart_due = False

    def is_idle(self, seconds: float, silence: float) -> bool:
        """Return whether it was unused for this long; a connection beyond `silence` is no use."""
        return (
            self.row.phase == "DEPLOYED"
            and not self._is_used(silence)
            and not self.row.asleep
            and not self.died
            and not self.lock.locked()
            and time.monotonic() - self.idle_since >= seconds
        )

    def _is_used(self, silence: float) -> bool:
        return not all(use.is_silent(silence) for use in self._uses)

    async def rest(self, silence: float) -> None:
        """Freeze the sandbox unless something keeps it awake."""
        async with self.lock:
            if self.row.phase != "DEPLOYED" or not self._launcher.is_alive(self.instance):
                self.died = self.row.phase == "DEPLOYED"
                return
            try:
                activity = await self._launcher.activity(self.instance)
            except ConnectionError as exc:
                logger.warning("%s: %s", self.name, exc)
                return self.touch()
            if activity.keep_alive:
                self.idle_since = time.monotonic()
            if activity.keep_alive or self._is_used(silence):
                return
            self.row.asleep = True
            self.save()
            await self._launcher.freeze(self.instance)


def _service(image: Image) -> Service | None:
    if not image.starts or image.port is None:
        return None
    return Service(image.name, image.command, image.folder, image.port)
