"""GET /live/sandbox: authenticate, check that there is room, then stream the status."""

from functools import partial

from django.conf import settings
from django.db import Error as DatabaseError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from accounts.sessions import SignIn
from sandboxes.streams import auth
from sandboxes.streams.status.cursor import Cursor
from sandboxes.streams.status.hub import hub
from sandboxes.streams.status.poller import Opening, opening
from sandboxes.streams.status.stream import Stream


class SandboxStream:
    """An ASGI endpoint. It holds neither a thread nor a connection while it streams."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = await _opened(Request(scope))
        if isinstance(found, Response):
            await found(scope, receive, send)
            return
        hub.join(found)
        try:
            await found.respond(receive, send)
        finally:
            hub.leave(found)


async def _opened(request: Request) -> Stream | Response:
    """The stream that was asked for, or why there is none."""
    try:
        auth.expect_method(request, "GET")
    except auth.AccessDenied as refused:
        return refused.response
    session_key = request.cookies.get(settings.SESSION_COOKIE_NAME)
    if not session_key:
        return _unauthorized()
    if hub.is_full:
        return _no_room()
    try:
        auth.expect_parameters(request, "after")
    except auth.AccessDenied as refused:
        return refused.response
    # The header is the browser's, when it comes back by itself; a page that does so says it here.
    told = request.headers.get("Last-Event-ID") or request.query_params.get("after", "")
    try:
        opened = await hub.read(partial(_look_up, session_key, Cursor.parse(told)))
    except DatabaseError:
        return auth.database_away()
    if opened is None:
        return _unauthorized()
    # Others may have come meanwhile.
    return _no_room() if hub.is_full else Stream(*opened)


def _look_up(session_key: str, cursor: Cursor | None) -> tuple[SignIn, Opening] | None:
    found = SignIn.of(session_key)
    if found is None:
        return None
    sign_in, user = found
    return sign_in, opening(user, cursor)


def _no_room() -> Response:
    return auth.too_many("streams", 30)


def _unauthorized() -> Response:
    return JSONResponse({"error": "Unauthorized"}, 401, {"Cache-Control": "no-store"})


sandbox_stream = SandboxStream()
