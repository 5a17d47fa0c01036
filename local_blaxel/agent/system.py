"""``/`` and ``/health``."""

from __future__ import annotations

import os
import platform
import time
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .sandbox import Sandbox
from .wire import Json

VERSION = "local"
EVERY_METHOD = ["GET", "POST", "PUT", "DELETE", "PATCH"]


class SystemApi:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def routes(self) -> list[Route]:
        return [
            Route("/", self.welcome, methods=EVERY_METHOD),
            Route("/health", self.health, methods=["GET"]),
            Route("/upgrade", self.upgrade, methods=["POST"]),
        ]

    async def welcome(self, request: Request) -> Response:
        return Json(
            {
                "message": "Welcome to your sandbox",
                "documentation": "https://docs.blaxel.ai/Sandboxes/Overview",
                "description": "This is the API of a local Blaxel sandbox.",
            }
        )

    async def health(self, request: Request) -> Response:
        uptime = time.time() - self._sandbox.started
        started = datetime.fromtimestamp(self._sandbox.started, UTC)
        return Json(
            {
                "status": "ok",
                "version": VERSION,
                "gitCommit": "unknown",
                "buildTime": "unknown",
                "goVersion": f"python{platform.python_version()}",
                "os": platform.system().lower(),
                "arch": {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, "unknown"),
                "uptime": _duration(uptime),
                "uptimeSeconds": uptime,
                "upgradeCount": self._sandbox.upgrade_count,
                "startedAt": started.isoformat().replace("+00:00", "Z"),
                "lastUpgrade": {"status": "idle", "step": "", "version": ""},
                "isolation": self._sandbox.isolation,
                "workingDir": self._sandbox.workdir,
            }
        )

    async def upgrade(self, request: Request) -> Response:
        """Count an upgrade: there is nothing newer to run here, and clients look at the count."""
        self._sandbox.upgrade_count += 1
        return Json({"message": "Upgrade completed", "version": VERSION, "baseUrl": ""})


def _duration(seconds: float) -> str:
    """Format a duration as Go does: 1h2m3s."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minute}m{second}s"
    return f"{minute}m{second}s" if minute else f"{second}s"
