"""Django, mounted as WSGI so that none of its few threads ever waits for a peer.

Eight half-sent POSTs or eight slow readers would stop the whole site otherwise: here a request
is read in full before a thread is taken, and a response is sent when the thread is free again.
What may have to wait for somebody's sandbox has threads of its own: sandboxes that hang keep
nobody from signing in.
"""

import asyncio
import tempfile
from typing import IO, Any, cast

from a2wsgi import WSGIMiddleware
from django.conf import settings
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 10 * 1024 * 1024
BODY_TIMEOUT = 30.0
# Of what is too large so much more is taken: a browser that still sends reads no answer.
MOST_DRAINED = 64 * 1024 * 1024
_IN_MEMORY = 256 * 1024
_CHUNK = 64 * 1024


class _Refused(Exception):
    def __init__(self, status: int, code: str, text: str) -> None:
        self._status, self._code, self._text = status, code, text

    def response(self, scope: Scope) -> Response:
        last = {"Connection": "close"}
        page = f"/help/errors/#{self._code}"
        if scope["path"].startswith("/api/"):
            page = f"{settings.MANTA_URL}{page}"
            body = {"error": self._text, "code": self._code, "help": page}
            return JSONResponse(body, self._status, last)
        return PlainTextResponse(f"{self._text} See {page}\n", self._status, last)


class _Disconnected(Exception):
    pass


class WSGIBridge:
    def __init__(self, app: Any, *, threads: int, inside: tuple[str, ...] = ()) -> None:
        """inside: the beginnings of the paths that may have to wait for a sandbox."""
        self._app = cast(ASGIApp, WSGIMiddleware(app, workers=threads))
        self._apart = cast(ASGIApp, WSGIMiddleware(app, workers=threads))
        self._inside = inside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as body:
            try:
                async with asyncio.timeout(BODY_TIMEOUT):
                    await _read(scope, receive, body)
            except _Disconnected:
                return
            except TimeoutError:
                late = _Refused(408, "too_slow", "The request took too long: send it again.")
                await late.response(scope)(scope, receive, send)
                return
            except _Refused as refused:
                await refused.response(scope)(scope, receive, send)
                return
            body.seek(0)
            for message in await self._answer(scope, body):
                await send(message)

    async def _answer(self, scope: Scope, body: IO[bytes]) -> list[Message]:
        """What Django answers, in full."""
        messages: list[Message] = []

        async def replay() -> Message:
            chunk = body.read(_CHUNK)
            return {"type": "http.request", "body": chunk, "more_body": len(chunk) == _CHUNK}

        async def collect(message: Message) -> None:
            messages.append(message)

        app = self._apart if scope["path"].startswith(self._inside) else self._app
        await app(_without_underscores(scope), replay, collect)
        return messages


async def _read(scope: Scope, receive: Receive, body: IO[bytes]) -> None:
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Disconnected
        chunk = message.get("body", b"")
        size += len(chunk)
        more = message.get("more_body", False)
        if size <= MAX_BODY:
            body.write(chunk)
        elif not more or size > MAX_BODY + MOST_DRAINED:
            raise _Refused(413, "too_large", f"Send no more than {MAX_BODY} bytes at a time.")


def _without_underscores(scope: Scope) -> Scope:
    """Drop headers such as X_Forwarded_For: WSGI can't tell them from X-Forwarded-For."""
    headers = [(name, value) for name, value in scope["headers"] if b"_" not in name]
    return {**scope, "headers": headers}
