"""The agent's HTTP server: uvicorn, which here is still while the sandbox sleeps."""

from __future__ import annotations

import asyncio
import gc

import uvicorn

from .sandbox import Sandbox

TICK_SECONDS = 0.5


class Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, sandbox: Sandbox) -> None:
        super().__init__(config)
        self._sandbox = sandbox

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
