"""Django, mounted as WSGI so that none of its few threads ever waits for a peer.

Eight half-sent POSTs or eight slow readers would stop the whole site otherwise: here a request
is read in full before a thread is taken, and a response is sent when the thread is free again.
Requests that may wait for a sandbox have threads of their own, so that sandboxes that hang do not
keep people from signing in.
"""

import asyncio
import contextvars
import errno
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import IO, TypeVar
from wsgiref.types import WSGIApplication, WSGIEnvironment

from django.conf import settings
from django.utils.http import parse_header_parameters
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

Answer = TypeVar("Answer")

MAX_BODY = 10 * 1024 * 1024
# Where a text is saved: five megabytes, each byte of which JSON may escape with six.
MAX_TEXT = 32 * 1024 * 1024
BODY_TIMEOUT = 30.0
# This much of a body that is too large is read: a browser that still sends reads no answer.
MAX_DRAINED = 64 * 1024 * 1024
# Bytes of all requests and answers together that wait, in files where they are large.
MAX_HELD = 1024 * 1024 * 1024
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
    """A body that waits to be complete, or for its reader, which may be slow.

    Threads write answers, and what waits altogether is counted over all of them.
    """

    _held = 0
    _counting = threading.Lock()

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed below
        self._size = 0

    def __enter__(self) -> "_Kept":
        return self

    def __exit__(self, *args: object) -> None:
        with self._counting:
            _Kept._held -= self._size
            # A thread whose request was given up may still write: that is refused uncounted.
            self._file.close()

    def write(self, data: bytes) -> None:
        """Raises _Refused where all hold too much already; what is small is always kept."""
        with self._counting:
            if self._file.closed:
                raise ValueError("The client has disconnected.")
            self._size += len(data)
            _Kept._held += len(data)
            is_too_much = self._size > _IN_MEMORY and _Kept._held > MAX_HELD
        try:
            if is_too_much:
                raise OSError(errno.ENOSPC, "Too much waits")
            self._file.write(data)
        except OSError as exc:
            text = "Manta is handling too many large requests. Try again soon."
            raise _Refused(503, "busy", text) from exc

    def reader(self) -> IO[bytes]:
        self._file.seek(0)
        return self._file

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
        self,
        app: WSGIApplication,
        *,
        threads: int,
        slow_prefixes: tuple[str, ...] = (),
        text: str = "",
    ) -> None:
        """slow_prefixes: beginnings of paths that may have to wait for a sandbox; text: the path
        to which a text may be sent that is longer than a form.
        """
        self._app = app
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="WSGI")
        self._apart = ThreadPoolExecutor(threads, thread_name_prefix="WSGI inside")
        self._slow_prefixes = slow_prefixes
        self._text = text

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        with _Kept() as answer:
            try:
                start = await self._answered(scope, receive, answer)
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
        environ = _environ(scope)
        threads = self._apart if scope["path"].startswith(self._slow_prefixes) else self._threads
        with _Kept() as body:
            async with asyncio.timeout(BODY_TIMEOUT):
                most = MAX_TEXT if scope["path"] == self._text else MAX_BODY
                await _read(receive, body, most)
            environ["wsgi.input"] = body.reader()
            return await _run(threads, partial(_collect, self._app, environ, answer))

    async def in_slow_thread(self, work: Callable[[], Answer]) -> Answer:
        """Have something done on one of the threads for what may wait for a sandbox."""
        return await _run(self._apart, work)


async def _run(threads: ThreadPoolExecutor, work: Callable[[], Answer]) -> Answer:
    context = contextvars.copy_context()  # the id of the request, for one
    # One handover each way: every further one would wait for the interpreter's lock.
    return await asyncio.get_running_loop().run_in_executor(threads, context.run, work)


def _collect(app: WSGIApplication, environ: WSGIEnvironment, answer: _Kept) -> Message:
    """Have Django answer, on the thread that calls; returns how the answer starts."""
    start: Message = {"type": "http.response.start"}

    def start_response(
        status: str, headers: list[tuple[str, str]], exc_info: object = None
    ) -> Callable[[bytes], object]:
        start["status"] = int(status.partition(" ")[0])
        start["headers"] = [
            (name.strip().lower().encode("latin-1"), value.strip().encode("latin-1"))
            for name, value in headers
        ]
        return answer.write

    parts = app(environ, start_response)
    try:
        for part in parts:
            answer.write(part)
    finally:
        if hasattr(parts, "close"):
            parts.close()
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
        elif not more or size > most + MAX_DRAINED:
            raise _Refused(413, "too_large", f"Send no more than {most} bytes at a time.")


def _environ(scope: Scope) -> WSGIEnvironment:
    """Return the request as Django reads it. Raises _Refused for what breaks it at once."""
    if "\0" in scope["path"]:
        raise _Refused(404, "not_found", "An address can't contain a NUL character.")
    server, port = scope.get("server") or ("localhost", 80)
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        # WSGI has bytes as the characters of Latin-1.
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server,
        "SERVER_PORT": str(port or 0),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if client := scope.get("client"):
        environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = client[0], str(client[1])
    for name, value in scope["headers"]:
        # WSGI can't tell X_Forwarded_For from X-Forwarded-For.
        if b"_" not in name:
            _add_header(environ, name.decode("latin-1"), value.decode("latin-1"))
    return environ


def _add_header(environ: WSGIEnvironment, name: str, value: str) -> None:
    key = name.upper().replace("-", "_")
    if key == "CONTENT_TYPE":
        value = _without_charset(value).encode("latin-1", "replace").decode("latin-1")
    elif key != "CONTENT_LENGTH":
        key = f"HTTP_{key}"
    # One that came in several lines is one text.
    environ[key] = f"{environ[key]},{value}" if key in environ else value


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
