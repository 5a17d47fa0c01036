"""Routes of Blaxel's server that this one can't offer, each refused with the reason."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .sandbox import Sandbox
from .wire import ApiError, Json

# Blaxel's own words, which clients may look for.
NO_CODEGEN = (
    "codegen tools are not configured, follow this documentation to configure it: "
    "https://docs.blaxel.ai/Sandboxes/Codegen"
)
NO_PROVIDER = "a local sandbox does not call codegen providers"
NO_RERANKING = "reranking needs RELACE_API_KEY"
NO_MONITOR = (
    "a local sandbox does not call back when a port opens; "
    "poll /network/process/{pid}/ports, or start the process with waitForPorts"
)
NO_TUNNEL = "a local sandbox has no WireGuard tunnel; its way out is the proxy in HTTPS_PROXY"
NO_DRIVES = "a local sandbox has no drives; use a volume"


class Refusals:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def routes(self) -> list[Route]:
        monitor, drive = "/network/process/{pid}/monitor", "/drives/mount/{path:path}"
        return [
            Route("/codegen/fastapply/{path:path}", self.fastapply, methods=["PUT"]),
            Route("/codegen/reranking/{path:path}", self.reranking, methods=["GET"]),
            Route(monitor, self.monitor, methods=["POST", "DELETE"]),
            Route("/network/tunnel/config", self.tunnel, methods=["PUT"]),
            Route("/network/tunnel", self.tunnel, methods=["DELETE"]),
            Route("/drives/mount", self.list_drives, methods=["GET"]),
            Route("/drives/mount", self.drives, methods=["POST"]),
            Route(drive, self.drives, methods=["DELETE"]),
        ]

    async def fastapply(self, request: Request) -> Response:
        self._check_key()
        raise ApiError(503, NO_PROVIDER)

    async def reranking(self, request: Request) -> Response:
        self._check_key()
        raise ApiError(503, NO_PROVIDER if self._has("RELACE_API_KEY") else NO_RERANKING)

    async def monitor(self, request: Request) -> Response:
        raise ApiError(422, NO_MONITOR)

    async def tunnel(self, request: Request) -> Response:
        raise ApiError(400, NO_TUNNEL)

    async def list_drives(self, request: Request) -> Response:
        return Json({"mounts": []})

    async def drives(self, request: Request) -> Response:
        raise ApiError(400, NO_DRIVES)

    def _check_key(self) -> None:
        if not (self._has("RELACE_API_KEY") or self._has("MORPH_API_KEY")):
            raise ApiError(400, NO_CODEGEN)

    def _has(self, name: str) -> bool:
        return bool(self._sandbox.environ.get(name))
