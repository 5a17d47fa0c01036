"""`GET /health`: that the server runs, and how it isolates sandboxes. Needs no key."""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local_blaxel.fleet import Fleet
from local_blaxel.launcher import Launcher


class Health:
    def __init__(self, fleet: Fleet, launcher: Launcher) -> None:
        self._fleet = fleet
        self._launcher = launcher

    async def get(self, request: Request) -> Response:
        sandboxes = self._fleet.sandboxes.values()
        return JSONResponse(
            {
                "status": "ok",
                "isolation": self._launcher.isolation,
                "description": self._launcher.describe(),
                "sandboxes": len(sandboxes),
                "awake": sum(sandbox.state == "RUNNING" for sandbox in sandboxes),
                # What grows when something is left behind.
                "tasks": len(asyncio.all_tasks()),
            }
        )
