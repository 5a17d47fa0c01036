"""Middleware for all requests, and the responses for all errors."""

import logging

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local_blaxel import auth, edge, errors
from local_blaxel.errors import ApiError, NotFound
from local_blaxel.preview_edge import PreviewEdge

logger = logging.getLogger(__name__)

_MAX_NAME_LENGTH = 64


class PreviewHosts:
    """Send previews' own hosts to the previews, and unknown hosts away."""

    def __init__(self, app: ASGIApp, previews: PreviewEdge) -> None:
        self._app = app
        self._previews = previews

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        try:
            preview_id = auth.preview_of_host(scope)
            if preview_id is not None:
                return await self._previews.by_host(preview_id, scope, receive, send)
            await self._app(scope, receive, send)
        except ApiError as error:
            await edge.answer(error, scope, receive, send)
        except Exception:
            logger.exception("A request failed")
            raise


class RequireApiKey:
    """Middleware that accepts only requests with the API key."""

    def __init__(self, app: ASGIApp, gate: auth.Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._gate.check(scope)
        await self._app(scope, receive, send)


class RequestTracing:
    """Answer the control plane's calls under the caller's own name for them, and log changes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/v0/"):
            return await self._app(scope, receive, send)
        given = auth.header(scope, b"x-request-id")
        name = given[:_MAX_NAME_LENGTH] if given else b""

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                if name:
                    message["headers"] = [*message["headers"], (b"x-request-id", name)]
                if scope["method"] not in ("GET", "HEAD"):
                    what = scope["method"], scope["path"], message["status"], name.decode("latin-1")
                    logger.info("%s %s: %s [%s]", *what)
            await send(message)

        await self._app(scope, receive, named)


class ErrorRenderer:
    """Tell an error in the shape that its place in the API has."""

    def __init__(self, workspace: str) -> None:
        self._workspace = workspace

    def __call__(self, request: Request, exc: Exception) -> Response:
        error = exc if isinstance(exc, ApiError) else _from_starlette(exc)
        path = request.url.path
        if path == "/v0/sandboxes" and request.method == "POST":
            return errors.creation(error, workspace=self._workspace)
        if path.startswith("/v0/"):
            return errors.control(error)
        return errors.gateway(error)


class NotAllowed(ApiError):
    status, code = 405, "METHOD_NOT_ALLOWED"


def _from_starlette(exc: Exception) -> ApiError:
    if isinstance(exc, HTTPException) and exc.status_code == 405:
        return NotAllowed("This address does not take that method.")
    return NotFound("There is nothing at this address.", code="ROUTE_NOT_FOUND")
