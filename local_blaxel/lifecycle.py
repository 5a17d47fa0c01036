"""Automatic changes of sandboxes: standby when idle, deletion when their time is over.

One loop looks at all of them; what it finds due runs in a bounded number of tasks, one at most
for a sandbox, so that a slow one never holds up the others.
"""

import asyncio
import logging
import time
from collections.abc import Coroutine
from typing import Any

from local_blaxel.config import Config
from local_blaxel.fleet import Fleet
from local_blaxel.sandbox import Sandbox
from local_blaxel.store import Store

logger = logging.getLogger(__name__)

AT_ONCE = 16
HOUSEKEEPING_EVERY = 1.0


class Lifecycle:
    def __init__(self, fleet: Fleet, store: Store, config: Config) -> None:
        self._fleet = fleet
        self._store = store
        self._standby_after = config.standby_after
        self._silence = config.silence
        self._pace = min(max(self._standby_after / 4, 0.02), 0.25)
        self._kept_house = 0.0
        self._working: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Look at every sandbox, again and again, until cancelled."""
        try:
            while True:
                try:
                    self._look_around()
                except Exception:
                    # The outer loop: one bad look must not be the last.
                    logger.exception("Lifecycle failed")
                await asyncio.sleep(self._pace)
        finally:
            await self._stop_working()

    def _look_around(self) -> None:
        for sandbox in self._fleet.sandboxes.values():
            self._look_at(sandbox, time.time())
        if time.monotonic() - self._kept_house >= HOUSEKEEPING_EVERY:
            self._kept_house = time.monotonic()
            self._keep_house()

    def _look_at(self, sandbox: Sandbox, now: float) -> None:
        if sandbox.name in self._working or len(self._working) >= AT_ONCE:
            return
        if sandbox.lock.locked():
            return
        ends_at = sandbox.ends_at
        if sandbox.row.phase == "DELETING":
            self._start(sandbox, self._fleet.finalize_delete(sandbox))
        elif ends_at is not None and ends_at <= now and sandbox.row.phase != "DEPLOYING":
            self._start(sandbox, self._fleet.finalize_delete(sandbox, "Sandbox has expired"))
        elif sandbox.is_idle(self._standby_after, self._silence):
            self._start(sandbox, sandbox.rest(self._silence))

    def _start(self, sandbox: Sandbox, work: Coroutine[Any, Any, None]) -> None:
        async def watched() -> None:
            try:
                await work
            except Exception:
                # A task's outermost frame. It is tried again after another idle time.
                logger.exception("%s: lifecycle failed", sandbox.name)
                sandbox.idle_since = time.monotonic()
            finally:
                del self._working[sandbox.name]

        self._working[sandbox.name] = asyncio.create_task(watched())

    def _keep_house(self) -> None:
        self._store.forget_expired(time.time())
        self._fleet.tombstones.forget_old()
        for sandbox in self._fleet.sandboxes.values():
            sandbox.save_use()

    async def _stop_working(self) -> None:
        working = list(self._working.values())
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
