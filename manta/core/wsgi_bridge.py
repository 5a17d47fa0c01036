"""Django, mounted as WSGI so that none of its few threads ever waits for a peer.

Eight half-sent POSTs or eight slow readers would stop the whole site otherwise: here a request
is read in full before a thread is taken, and a response is sent when the thread is free again.
Requests that may wait for a sandbox have threads of their own, so that sandboxes that hang do not
keep people from signing in.
"""

import asyncio
import errno
import tempfile
from collections.abc import Iterator
from typing import Any, cast

from a2wsgi import WSGIMiddleware
from django.conf import settings
from django.utils.http import parse_header_parameters
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 10 * 1024 * 1024
# Where a text is saved: five megabytes, each byte of which JSON may escape with six.
MAX_TEXT = 32 * 1024 * 1024
BODY_TIMEOUT = 30.0
# This much of a body that is too large is read: a browser that still sends reads no answer.
MOST_DRAINED = 64 * 1024 * 1024
# Bytes of all requests and answers together that wait, in files where they are large.
MOST_HELD = 1024 * 1024 * 1024
_IN_MEMORY = 256 * 1024
_CHUNK = 64 * 1024
_QUOTED = str.maketrans({'"': '\\"', "\\": "\\\\"})


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


class _Kept:
    """A body that waits to be complete, or for its reader, which may be slow."""

    _held = 0

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed below
        self._size = 0

    def __enter__(self) -> "_Kept":
        return self

    def __exit__(self, *args: object) -> None:
        _Kept._held -= self._size
        self._file.close()

    def write(self, data: bytes) -> None:
        """Raises _Refused where all hold too much already; what is small is always kept."""
        self._size += len(data)
        _Kept._held += len(data)
        try:
            if self._size > _IN_MEMORY and _Kept._held > MOST_HELD:
                raise OSError(errno.ENOSPC, "Too much waits")
            self._file.write(data)
        except OSError as exc:
            text = "Manta has too much under way for this. Try again soon."
            raise _Refused(503, "busy", text) from exc

    def from_the_start(self) -> Iterator[tuple[bytes, bool]]:
        """Yield the pieces, each with whether more follow; an empty body gives one empty piece."""
        self._file.seek(0)
        piece = self._file.read(_CHUNK)
        while following := self._file.read(_CHUNK):
            yield piece, True
            piece = following
        yield piece, False


class WSGIBridge:
    def __init__(
        self, app: Any, *, threads: int, inside: tuple[str, ...] = (), text: str = ""
    ) -> None:
        """inside: the beginnings of the paths that may have to wait for a sandbox; text: the path
        to which a text may be sent that is longer than a form.
        """
        self._app = cast(ASGIApp, WSGIMiddleware(app, workers=threads))
        self._apart = cast(ASGIApp, WSGIMiddleware(app, workers=threads))
        self._inside = inside
        self._text = text

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        with _Kept() as answer:
            try:
                start = await self._answered(_readable(scope), receive, answer)
            except _Disconnected:
                return
            except TimeoutError:
                late = _Refused(408, "too_slow", "The request took too long: send it again.")
                await late.response(scope)(scope, receive, send)
                return
            except _Refused as refused:
                await refused.response(scope)(scope, receive, send)
                return
            await send(start)
            for piece, more in answer.from_the_start():
                await send({"type": "http.response.body", "body": piece, "more_body": more})

    async def _answered(self, scope: Scope, receive: Receive, answer: _Kept) -> Message:
        """Have Django answer, in full; returns how the answer starts."""
        with _Kept() as body:
            async with asyncio.timeout(BODY_TIMEOUT):
                most = MAX_TEXT if scope["path"] == self._text else MAX_BODY
                await _read(receive, body, most)
            return await self._answer(scope, body, answer)

    async def _answer(self, scope: Scope, body: _Kept, answer: _Kept) -> Message:
        start: Message = {}
        refusals: list[_Refused] = []
        pieces = body.from_the_start()

        async def replay() -> Message:
            piece, more = next(pieces, (b"", False))
            return {"type": "http.request", "body": piece, "more_body": more}

        async def collect(message: Message) -> None:
            # Django's thread would wait for ever for a reader that fails.
            if message["type"] == "http.response.start":
                start.update(message)
            elif not refusals:
                try:
                    answer.write(message.get("body", b""))
                except _Refused as refused:
                    refusals.append(refused)

        app = self._apart if scope["path"].startswith(self._inside) else self._app
        await app(scope, replay, collect)
        if refusals:
            raise refusals[0]
        return start


async def _read(receive: Receive, body: _Kept, most: int) -> None:
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Disconnected
        chunk = message.get("body", b"")
        size += len(chunk)
        more = message.get("more_body", False)
        if size <= most:
            body.write(chunk)
        elif not more or size > most + MOST_DRAINED:
            raise _Refused(413, "too_large", f"Send no more than {most} bytes at a time.")


def _readable(scope: Scope) -> Scope:
    """Return the request as Django can read it. Raises _Refused for what breaks it at once."""
    if "\0" in scope["path"]:
        raise _Refused(404, "not_found", "No address contains a NUL.")
    headers = []
    for name, value in scope["headers"]:
        if name == b"content-type":
            value = _without_charset(value.decode("latin-1")).encode("latin-1", "replace")
        # WSGI can't tell X_Forwarded_For from X-Forwarded-For.
        if b"_" not in name:
            headers.append((name, value))
    return {**scope, "headers": headers}


def _without_charset(content_type: str) -> str:
    """Leave out the charset, with which Django would decode the address and the body.

    It takes any codec of Python, such as hex. JSON (RFC 8259) and web forms are UTF-8 alone.
    """
    try:
        kind, parameters = parse_header_parameters(content_type)
    except ValueError:
        text = "The Content-Type header can't be read: leave out what follows its semicolon."
        raise _Refused(400, "invalid", text) from None
    if parameters.pop("charset", None) is None:
        return content_type
    quoted = {name: value.translate(_QUOTED) for name, value in parameters.items()}
    return "; ".join([kind, *(f'{name}="{value}"' for name, value in quoted.items())])
