"""Subscriptions to one sandbox while pages are open on it, shared by all of these pages."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

import httpx

from manta.core.computing import in_thread
from manta.core.database import run_in_db_thread
from sandboxes import errors, services
from sandboxes.data_plane import process_list, process_snapshot, subscriptions
from sandboxes.data_plane.file_changes import IGNORED, Burst, read
from sandboxes.data_plane.process_list import Fields, without_output
from sandboxes.data_plane.process_snapshot import ProcessSnapshot
from sandboxes.models import Sandbox
from sandboxes.streams import sse
from sandboxes.streams.provider_calls import ensure_session
from sandboxes.streams.sandbox_events.page import Page

logger = logging.getLogger(__name__)

_FOLDER = "/blaxel"
# Seconds: over which changes gather, the first ones and those of a sandbox that goes on changing.
_SOON, _LATER = 0.15, 0.5
# Seconds between two tries, doubled up to the second.
_FIRST_PAUSE, _MAX_PAUSE = 1.0, 30.0
# Seconds after which the list of processes is asked for also when nothing seems to have changed.
_LIST_EVERY = 30.0
# Seconds between two snapshots that are read; the script in the sandbox says one each 2 s at most.
_BETWEEN_SNAPSHOTS = 0.5
_NOTE_USE_EVERY = 600.0
# Seconds between two looks at files that can't be watched.
_ASK_EVERY = 10.0
_FAILURES = (httpx.HTTPError, errors.SandboxError, ValueError)


class Upstream:
    """Runs while it has pages; one for each sandbox that this process has pages of."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.pages: list[Page] = []
        self._sandbox, self._url, self._reach = sandbox, sandbox.url, sandbox.reach
        self._latest: dict[str, bytes] = {}
        self._known: list[Fields] = []
        self._known_at, self._heads = 0.0, frozenset[int]()
        self._burst, self._told_at = Burst(), 0.0
        self._gathering: asyncio.Task[None] | None = None
        # The last snapshot that was said and not read yet, and the last that was read.
        self._newest: list[str] | None = None
        self._before: ProcessSnapshot | None = None
        self._taking: asyncio.Task[None] | None = None
        self._tasks = [asyncio.create_task(work()) for work in self._works()]

    def _works(self) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        return [
            partial(self._again_and_again, self._follow_files, self._trouble),
            partial(self._again_and_again, self._follow_processes, lambda message: None),
            self._note_use,
        ]

    def join(self, page: Page) -> None:
        for name, said in self._latest.items():
            page.show(name, said)
        self.pages.append(page)

    def close(self) -> None:
        for task in [*self._tasks, *([self._gathering] if self._gathering else [])]:
            task.cancel()

    def _show(self, name: str, data: dict[str, Any]) -> None:
        self._say(name, sse.message(name, data))

    def _say(self, name: str, said: bytes) -> None:
        self._latest[name] = said
        for page in self.pages:
            page.show(name, said)

    def _trouble(self, message: str) -> None:
        self._latest.pop("connected", None)
        self._show("trouble", {"message": message})

    async def _again_and_again(
        self, work: Callable[[], Coroutine[Any, Any, None]], tell: Callable[[str], None]
    ) -> None:
        """Repeat work that breaks off, at longer intervals while it keeps failing."""
        pause, loop = _FIRST_PAUSE, asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                await work()
            except _FAILURES as exc:
                logger.info("%s: what happens inside is not known: %s", self._sandbox.name, exc)
            except Exception:
                # A task's outermost frame.
                logger.exception("%s: following it failed", self._sandbox.name)
            if await self._is_gone():
                for page in self.pages:
                    page.end("gone")
                return
            # What had held for a while has only to be begun again.
            pause = _FIRST_PAUSE if loop.time() - began > _MAX_PAUSE else pause
            tell("Your sandbox does not answer. Trying again.")
            await asyncio.sleep(pause)
            pause = min(2 * pause, _MAX_PAUSE)

    async def _is_gone(self) -> bool:
        """Return whether the row says that the sandbox is gone, and not merely restarted."""

        def still_there() -> Sandbox | None:
            row: Sandbox | None = Sandbox.objects.filter(pk=self._sandbox.pk).first()
            try:
                services.row_updates.require_ready(row) if row else None
            except errors.SandboxError:
                return None
            return row if row and row.url == self._url else None

        row = await run_in_db_thread(still_there)
        if row is None:
            return True
        with suppress(errors.SandboxError):  # the next attempt asks again
            await ensure_session(row)
            self._reach = row.reach
        return False

    async def _note_use(self) -> None:
        """Note regularly that the sandbox is used, so that it lives on while a page is open."""

        def note() -> None:
            row = Sandbox.objects.filter(pk=self._sandbox.pk).first()
            if row:
                services.row_updates.touch(row)

        while True:
            await asyncio.sleep(_NOTE_USE_EVERY)
            await run_in_db_thread(note)

    # ---- Files

    async def _follow_files(self) -> None:
        """Watch them; where the sandbox can't, have pages ask for what they show, now and then."""
        while True:
            try:
                return await self._watch_files()
            except errors.ProviderRejected as exc:
                logger.info("%s: its files can't be watched: %s", self._sandbox.name, exc)
            self._connected()
            await asyncio.sleep(_ASK_EVERY)

    def _connected(self) -> None:
        """Say that the sandbox answers; whatever happened before is not known."""
        self._latest.pop("trouble", None)
        self._show("connected", {})
        self._tell_soon(Burst.everything)

    async def _watch_files(self) -> None:
        async with subscriptions.changes_of(self._reach, _FOLDER, IGNORED) as response:
            self._connected()
            async for line in subscriptions.lines(response):
                self._notice(line)

    def _notice(self, line: str) -> None:
        try:
            change = read(line)
        except ValueError:
            self._tell_soon(Burst.everything)
            return
        if change:
            self._tell_soon(lambda burst: burst.add(change))

    def _tell_soon(self, add: Callable[[Burst], None]) -> None:
        add(self._burst)
        if self._gathering is None:
            self._gathering = asyncio.create_task(self._gather())

    async def _gather(self) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(_SOON if loop.time() - self._told_at > 1 else _LATER)
        burst, self._burst, self._gathering = self._burst, Burst(), None
        self._told_at = loop.time()
        for page in self.pages:
            page.changed(burst)

    # ---- Processes and ports

    async def _follow_processes(self) -> None:
        await subscriptions.start(self._reach, process_snapshot.NAME, process_snapshot.COMMAND)
        reader, told = process_snapshot.Reader(), await self._take_last()
        async with subscriptions.log_of(self._reach, process_snapshot.NAME) as response:
            try:
                async for line in subscriptions.lines(response):
                    whole = reader.line(line)
                    if whole and process_snapshot.moment_of(whole) > told:
                        self._newest = whole
                    self._take_soon()
            finally:
                if self._taking:
                    self._taking.cancel()
                    await asyncio.gather(self._taking, return_exceptions=True)
                    self._taking = None

    async def _take_last(self) -> float:
        """Have the last snapshot told at once, and return its moment.

        The log begins with what ran long ago, which no page needs to be told.
        """
        self._newest = self._before = None
        said = await subscriptions.whole_log(self._reach, process_snapshot.NAME)
        before, now = await in_thread(process_snapshot.latest, said)
        if now is None:
            return 0.0
        await self._take_stock(now, before)
        self._before = now
        return now.uptime

    def _take_soon(self) -> None:
        """Have the newest snapshot read, unless one is. Raises what went wrong with the last."""
        if self._taking and self._taking.done():
            self._taking.result()
            self._taking = None
        if self._newest and self._taking is None:
            self._taking = asyncio.create_task(self._take_newest())

    async def _take_newest(self) -> None:
        """One after the other: a sandbox may say them without end."""
        while self._newest:
            whole, self._newest = self._newest, None
            now = await in_thread(process_snapshot.parse, whole)
            if now:
                await self._take_stock(now, self._before)
                self._before = now
            await asyncio.sleep(_BETWEEN_SNAPSHOTS)

    async def _take_stock(self, now: ProcessSnapshot, before: ProcessSnapshot | None) -> None:
        if self._must_list(now):
            self._known = [
                without_output(each) for each in await subscriptions.processes_of(self._reach)
            ]
            self._known_at = asyncio.get_running_loop().time()
        for name, said in await in_thread(_messages, self._known, now, before):
            if self._latest.get(name) != said:
                self._say(name, said)

    def _must_list(self, now: ProcessSnapshot) -> bool:
        """Listing carries the last output of all: it is done when the server's children change."""
        heads = frozenset(pid for pid, seen in now.processes.items() if seen.parent == now.server)
        is_other, self._heads = heads != self._heads, heads
        lost = any(
            each["pid"] not in now.processes
            and each["status"] == "running"
            and not each["restarts"]
            for each in self._known
        )
        is_old = asyncio.get_running_loop().time() - self._known_at > _LIST_EVERY
        return is_other or lost or is_old


def _messages(
    known: list[Fields], now: ProcessSnapshot, before: ProcessSnapshot | None
) -> list[tuple[str, bytes]]:
    table = process_list.build(known, now, before)
    processes = {"version": table.version, "processes": table.processes}
    told = (("processes", processes), ("ports", {"ports": table.ports}))
    return [(name, sse.message(name, data)) for name, data in told]
