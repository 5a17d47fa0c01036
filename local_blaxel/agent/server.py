"""The agent's HTTP server: uvicorn, which here is still while the sandbox sleeps."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
from collections.abc import Iterator

import uvicorn

from .sandbox import Sandbox

TICK_SECONDS = 0.5


class Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, sandbox: Sandbox) -> None:
        super().__init__(config)
        self._sandbox = sandbox

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle no signals as process 1: any process inside could end the server by one."""
        if os.getpid() == 1:
            yield
            return
        with super().capture_signals():
            yield

    async def main_loop(self) -> None:
        """Set the answers' date, and end after a signal.

        uvicorn's own looks ten times a second, also in standby: a hundred sandboxes that do nothing
        would take a sixth of a core.
        """
        # What is there by now stays: no request waits for the collector to go through all of it.
        gc.freeze()
        while not await self.on_tick(0):
            await asyncio.sleep(TICK_SECONDS)
            await self._sandbox.awake.wait()
