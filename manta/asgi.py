"""Entry point of the server: raw ASGI routes, and Django for every other address."""

import contextlib
import gc
import threading
from collections.abc import AsyncIterator

from django.conf import settings
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route, WebSocketRoute

from manta.core.cors import PublicCORS
from manta.core.request_context import RequestContextMiddleware
from manta.core.shutdown import when_stopping
from manta.core.wsgi_bridge import WSGIBridge
from manta.wsgi import application as django
from operations import scrape
from operations.recorder import Recorder
from sandboxes import control_plane, data_plane
from sandboxes.api.file_reads import FileReads
from sandboxes.mcp.endpoint import PATHS as MCP_PATHS
from sandboxes.mcp.endpoint import endpoint as mcp_endpoint
from sandboxes.streams import paths
from sandboxes.streams.process_logs.endpoint import logs
from sandboxes.streams.revocation import revocation_watcher
from sandboxes.streams.sandbox_events.endpoint import inside_stream
from sandboxes.streams.status.endpoint import sandbox_stream
from sandboxes.streams.status.hub import hub
from sandboxes.streams.terminal.endpoint import terminal
from sandboxes.streams.transfers.routes import ROUTES

# What may have to wait for a sandbox, beside what never does.
SLOW_PREFIXES = (
    "/workspace/inside/",
    "/sandbox/connect/test/",
    "/sandbox/open/",
    "/api/sandbox/files",
    "/api/sandbox/processes",
    "/api/sandbox/ports",
    "/api/sandbox/previews",
    "/api/sandbox/terminals",
)
# Where a whole text is read and saved.
TEXT = "/api/sandbox/files"
# Seconds that writing the last counts may take at the end.
SHUTDOWN_TIMEOUT = 0.3


async def healthz(request: Request) -> JSONResponse:
    """The process runs. It asks nothing else, so it answers whatever is down."""
    return JSONResponse({"status": "ok"})


def _warm() -> None:
    """Import the SDK, which takes seconds: the first Open should not wait for it.

    What a start leaves stays to the end, and no collection of garbage need look at it again.
    """
    control_plane.client.warm()
    gc.collect()
    gc.freeze()


@contextlib.asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    threading.Thread(target=_warm, daemon=True).start()
    recorder = Recorder("web")
    recorder.start()
    async with mcp_endpoint.running():
        with (
            when_stopping(hub.stop),
            when_stopping(revocation_watcher.stop),
            when_stopping(mcp_endpoint.stop),
        ):
            yield
    await data_plane.async_client.close_streaming_client()
    await run_in_threadpool(recorder.stop, SHUTDOWN_TIMEOUT)


bridge = WSGIBridge(django, threads=settings.WEB_THREADS, slow_prefixes=SLOW_PREFIXES, text=TEXT)
application = Starlette(
    routes=[
        Route("/healthz", healthz),
        Route("/metrics", scrape.metrics),
        Route(paths.STATUS, sandbox_stream),
        Route(paths.SANDBOX_EVENTS, inside_stream),
        Route(paths.PROCESS_LOGS, logs),
        *(Route(path, mcp_endpoint) for path in MCP_PATHS),
        WebSocketRoute(paths.TERMINAL, terminal),
        *ROUTES,
        Route(TEXT, FileReads(bridge, TEXT)),
        Mount("/", bridge),
    ],
    middleware=[
        Middleware(RequestContextMiddleware),
        Middleware(PublicCORS, mcp=MCP_PATHS),
    ],
    lifespan=lifespan,
)
# No pattern of a route matches an address with a newline in it.
application.router.default = bridge
