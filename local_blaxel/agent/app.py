"""The agent's whole route table, and what every answer has in common."""

from __future__ import annotations

import logging

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import network
from .beneath_api import Held
from .copies import CopyApi
from .disk import DiskWatch, RefusedWrites
from .files import FileApi
from .grep import GrepApi
from .multipart import MultipartApi
from .process_api import ProcessApi
from .processes import ProcessTable
from .refusals import Refusals
from .sandbox import Sandbox
from .search import SearchApi
from .system import SystemApi
from .terminal_api import TerminalApi
from .trees import TreeApi
from .watch import WatchApi
from .wire import ApiError, Json

logger = logging.getLogger(__name__)

COMMON_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, Authorization",
    "Cache-Control": "no-cache, no-store, must-revalidate",
    "X-Content-Type-Options": "nosniff",
}


def build(sandbox: Sandbox, table: ProcessTable, disk: DiskWatch) -> ASGIApp:
    app = Starlette(
        routes=routes(sandbox, table),
        middleware=[Middleware(RefusedWrites, sandbox, disk), Middleware(Held, sandbox)],
        exception_handlers={ApiError: _api_error, HTTPException: _http_error, Exception: _bug},
    )
    # A trailing slash is a different path here, never a redirect.
    app.router.redirect_slashes = False
    return CommonAnswers(app)


def routes(sandbox: Sandbox, table: ProcessTable) -> list[BaseRoute]:
    return [
        *SystemApi(sandbox).routes(),
        *TreeApi(sandbox).routes(),
        *FileApi(sandbox).routes(),
        *SearchApi(sandbox).routes(),
        *GrepApi(sandbox).routes(),
        *CopyApi(sandbox).routes(),
        *MultipartApi(sandbox).routes(),
        *WatchApi(sandbox).routes(),
        *ProcessApi(sandbox, table).routes(),
        *TerminalApi(sandbox).routes(),
        *network.routes(),
        *Refusals(sandbox).routes(),
    ]


async def _api_error(request: Request, exc: Exception) -> Response:
    error = exc if isinstance(exc, ApiError) else ApiError(500, str(exc))
    return Json(error.body(), error.status)


async def _http_error(request: Request, exc: Exception) -> Response:
    if isinstance(exc, HTTPException) and exc.status_code not in (404, 405):
        return Json({"error": exc.detail}, exc.status_code)
    # The SDKs tell a missing route from a missing thing by this text.
    return PlainTextResponse("404 page not found", 404)


async def _bug(request: Request, exc: Exception) -> Response:
    return Json({"error": f"the sandbox API failed: {type(exc).__name__}"}, 500)


class CommonAnswers:
    """The headers of every answer, OPTIONS everywhere, and HEAD on every known route."""

    def __init__(self, app: Starlette) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        is_answered = False

        async def send_with_headers(message: Message) -> None:
            nonlocal is_answered
            is_answered = message["type"] == "http.response.body" and not message.get("more_body")
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in COMMON_HEADERS.items():
                    headers[name] = value
            await send(message)

        app: ASGIApp = self._app
        if scope["method"] == "OPTIONS":
            app = Response(status_code=204)
        elif scope["method"] == "HEAD":
            app = Response(status_code=200 if self._is_known(scope) else 404)
        try:
            await app(scope, receive, send_with_headers)
        except Exception:
            # The server would close the connection, on which another request may be coming.
            if not is_answered:
                raise
            logger.exception("%s %s failed", scope["method"], scope["path"])

    def _is_known(self, scope: Scope) -> bool:
        return any(route.matches(scope)[0] is not Match.NONE for route in self._app.routes)
