"""What is asked of one sandbox while somebody has a page open on it, and told to all of them."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import httpx

from manta.database import in_database
from sandboxes import errors, services
from sandboxes.dataplane import following
from sandboxes.inside import census
from sandboxes.inside.census import Census
from sandboxes.inside.changes import IGNORED, Burst, read
from sandboxes.inside.page import Page
from sandboxes.inside.table import Fields, Table, slim, tabulate
from sandboxes.live import messages
from sandboxes.models import Sandbox

logger = logging.getLogger(__name__)

_FOLDER = "/blaxel"
# Seconds: over which changes gather, the first ones and those of a sandbox that goes on changing.
_SOON, _LATER = 0.15, 0.5
# Seconds between two tries, doubled up to the second.
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
# Seconds after which the list of processes is asked for also when nothing seems to have changed.
_LIST_EVERY = 30.0
_NOTE_USE_EVERY = 600.0
_FAILURES = (httpx.HTTPError, errors.SandboxError, ValueError)


class Upstream:
    """Runs while it has pages; one for each sandbox that this process has pages of."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.pages: list[Page] = []
        self._sandbox, self._url = sandbox, sandbox.url
        self._latest: dict[str, bytes] = {}
        self._known: list[Fields] = []
        self._known_at, self._heads = 0.0, frozenset[int]()
        self._burst, self._told_at = Burst(), 0.0
        self._gathering: asyncio.Task[None] | None = None
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
        self._latest[name] = messages.message(name, data)
        for page in self.pages:
            page.show(name, self._latest[name])

    def _trouble(self, message: str) -> None:
        self._latest.pop("connected", None)
        self._show("trouble", {"message": message})

    async def _again_and_again(
        self, work: Callable[[], Coroutine[Any, Any, None]], tell: Callable[[str], None]
    ) -> None:
        """What breaks off is tried again, less and less often while it keeps failing."""
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
            pause = _FIRST_PAUSE if loop.time() - began > _LONGEST_PAUSE else pause
            tell("Your sandbox does not answer. Trying again.")
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _is_gone(self) -> bool:
        """Whether the row says so: it may only have been restarted."""

        def gone() -> bool:
            row = Sandbox.objects.filter(pk=self._sandbox.pk).first()
            try:
                services.require_ready(row) if row else None
            except errors.SandboxError:
                return True
            return row is None or row.url != self._url

        return await in_database(gone)

    async def _note_use(self) -> None:
        """Who works on something for hours is not told that it expires."""

        def note() -> None:
            row = Sandbox.objects.filter(pk=self._sandbox.pk).first()
            if row:
                services.use(row)

        while True:
            await asyncio.sleep(_NOTE_USE_EVERY)
            await in_database(note)

    # ---- Files

    async def _follow_files(self) -> None:
        async with following.changes_of(self._url, _FOLDER, IGNORED) as response:
            self._latest.pop("trouble", None)
            self._show("connected", {})
            # Whatever happened before is not known.
            self._tell_soon(Burst.everything)
            async for line in following.lines(response):
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
        await following.start(self._url, census.NAME, census.COMMAND)
        reader, before = census.Reader(), None
        async with following.log_of(self._url, census.NAME) as response:
            async for line in following.lines(response):
                now = reader.line(line)
                if now:
                    await self._take_stock(now, before)
                    before = now

    async def _take_stock(self, now: Census, before: Census | None) -> None:
        if self._must_list(now):
            self._known = [slim(each) for each in await following.processes_of(self._url)]
            self._known_at = asyncio.get_running_loop().time()
        self._tell(tabulate(self._known, now, before))

    def _must_list(self, now: Census) -> bool:
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

    def _tell(self, table: Table) -> None:
        processes = {"version": table.version, "processes": table.processes}
        for name, data in (("processes", processes), ("ports", {"ports": table.ports})):
            if self._latest.get(name) != messages.message(name, data):
                self._show(name, data)
