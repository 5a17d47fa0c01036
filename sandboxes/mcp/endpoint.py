"""ASGI endpoint of /mcp: authenticate the caller, then let the MCP SDK answer.

Blaxel's own MCP takes only the workspace key, which never leaves Manta: here an agent shows a
token of the person's, and its calls are forwarded to that person's sandbox and to no other.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from types import ModuleType

from django.conf import settings
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from accounts import tokens
from manta.core.database import run_in_db_thread
from sandboxes import control_plane, errors
from sandboxes.mcp.call_log import tool_call_log
from sandboxes.mcp.intake import Intake, Refused
from sandboxes.streams.revocation import Credential, revocation_watcher
from sandboxes.streams.tasks import until_first

logger = logging.getLogger(__name__)

PATH = "/mcp"
# People write it with a slash at the end, too; a redirect would lose the body of a POST.
PATHS = (PATH, f"{PATH}/")
SCOPE = "mcp"


class Endpoint:
    """An ASGI endpoint. The MCP SDK takes seconds to import, so it is started in the background."""

    def __init__(self) -> None:
        self._calls: set[_Answered] = set()
        self._intake = Intake()
        self.loop: asyncio.AbstractEventLoop | None = None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self._stopping = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        self._server: asyncio.Future[ASGIApp] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._run())
        tool_call_log.start()
        try:
            yield
        finally:
            self.stop()
            await task
            await asyncio.to_thread(tool_call_log.stop)
            self.loop = None

    def stop(self) -> None:
        """Break off what still is answered: uvicorn would wait for it."""
        self._stopping.set()
        for call in self._calls:
            call.break_off()

    async def answering(self, grant: tokens.Grant) -> ASGIApp:
        """Return the server itself, for callers that were authenticated without a token.

        Raises ProviderUnavailable when it could not start, or stops.
        """
        await asyncio.wait({self._server})
        if self._server.cancelled() or self._stopping.is_set():
            raise errors.ProviderUnavailable("Manta's MCP server is not running.")
        server = self._server.result()

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            await server({**scope, "grant": grant}, receive, send)

        return answer

    async def _run(self) -> None:
        try:
            server = await asyncio.to_thread(_import_server)
            async with server.running() as answer:
                self._server.set_result(answer)
                await self._stopping.wait()
        except Exception:
            logger.exception("The MCP server failed")
            if not self._server.done():
                self._server.cancel()  # so that shutdown does not wait for it

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        grant = await _grant(request)
        refusal = _refusal(request, grant)
        if refusal or grant is None:
            await (refusal or _unauthorized(request))(scope, receive, send)
            return
        await asyncio.wait({self._server})
        if self._server.cancelled() or self._stopping.is_set():
            await _away()(scope, receive, send)
            return
        scope["grant"] = grant
        try:
            with self._intake.place(grant.user.pk) as place:
                answer = place.after_body(self._server.result())
                await self._answered(grant, _Answered(answer, scope, receive, send))
        except Refused as refused:
            await refused.response(scope, receive, send)

    async def _answered(self, grant: tokens.Grant, call: "_Answered") -> None:
        self._calls.add(call)
        try:
            await call.while_allowed(grant)
        finally:
            self._calls.discard(call)


def _import_server() -> ModuleType:
    # Both import parts of the same packages; at once, in two threads, they deadlocked.
    control_plane.client.warm()
    from sandboxes.mcp import server

    return server


async def _grant(request: Request) -> tokens.Grant | None:
    raw = tokens.bearer(request.headers.get("Authorization", ""))
    if not raw:
        return None
    return await run_in_db_thread(lambda: tokens.verify(raw, audience=settings.MCP_URL))


def _refusal(request: Request, grant: tokens.Grant | None) -> Response | None:
    if grant is None:
        return _unauthorized(request)
    if SCOPE not in grant.scopes:
        error = f"This token does not have the scope {SCOPE!r}. Create one that has it."
        challenge = f'{_challenge()}, error="insufficient_scope"'
        body = {"error": error, "code": "insufficient_scope"}
        return JSONResponse(body, 403, {"WWW-Authenticate": challenge})
    if request.method != "POST":  # there is no session, so nothing to stream or to end
        body = {"error": "Method not allowed", "code": "method_not_allowed"}
        return JSONResponse(body, 405, {"Allow": "POST"})
    return None


def _away() -> Response:
    body = {"error": "Manta is restarting. Try again.", "code": "restarting"}
    return JSONResponse(body, 503, {"Retry-After": "3"})


def _unauthorized(request: Request) -> Response:
    wrong = ', error="invalid_token"' if "Authorization" in request.headers else ""
    headers = {"WWW-Authenticate": _challenge() + wrong}
    return JSONResponse({"error": "Unauthorized"}, 401, headers)


def _challenge() -> str:
    """Return the challenge of a 401: where to find the metadata (RFC 9728), and the scope."""
    address = f"{settings.MANTA_URL}/.well-known/oauth-protected-resource{PATH}"
    return f'Bearer resource_metadata="{address}", scope="{SCOPE}"'


class _Answered:
    """A call that is being answered; it can be broken off at any moment."""

    def __init__(self, answer: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        self._asked = scope, receive
        self._send = send
        self._has_begun = self._has_ended = False
        self._refusal = _away()
        self._task = asyncio.ensure_future(answer(scope, receive, self._note_and_send))

    async def while_allowed(self, grant: tokens.Grant) -> None:
        """Let the call finish, unless its token is revoked or its permissions expire before."""
        try:
            async with revocation_watcher.watching(
                Credential(grant=grant, is_agents=True)
            ) as ended:
                await until_first(self._task, ended.wait())
                if ended.is_set() and not revocation_watcher.is_stopping:
                    self._refusal = _unauthorized(Request(self._asked[0]))
            if self._task.cancelled():
                await self._end()
            else:
                with contextlib.suppress(ClientDisconnect):  # a client that left hears nothing
                    self._task.result()
        finally:
            self._task.cancel()

    def break_off(self) -> None:
        self._task.cancel()

    async def _end(self) -> None:
        if not self._has_begun:
            await self._refusal(*self._asked, self._send)
        elif not self._has_ended:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _note_and_send(self, message: Message) -> None:
        self._has_begun = True
        self._has_ended = not message.get("more_body", message["type"].endswith("start"))
        await self._send(message)


endpoint = Endpoint()
