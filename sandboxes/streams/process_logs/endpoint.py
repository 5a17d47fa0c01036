"""GET /api/sandbox/processes/logs: what a process says, as it says it, or all of it as a file."""

import asyncio
from collections.abc import AsyncIterator

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Send
from starlette.types import Scope as ASGIScope

from accounts.models import Scope
from sandboxes import errors
from sandboxes.data_plane import subscriptions
from sandboxes.data_plane.process_output import NDJSON, output_of
from sandboxes.data_plane.process_snapshot import is_own
from sandboxes.streams import auth
from sandboxes.streams.auth import Principal
from sandboxes.streams.limits import NoPlace, PerUserLimit
from sandboxes.streams.process_logs.formats import as_events, as_lines
from sandboxes.streams.revocation import revocation_watcher
from sandboxes.streams.tasks import until_first

_TEXT = "text/plain; charset=utf-8"
_HEADERS = [
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
# Places of one person; a whole log, which is held in memory, takes more of them.
_PER_USER, _OF_A_WHOLE_LOG = 10, 5
# Seconds in which a reader has to take a piece.
_TIMEOUT = 120.0


class Logs:
    """An ASGI endpoint. It asks for more only once its reader has taken what there was."""

    def __init__(self) -> None:
        self._open = PerUserLimit(_PER_USER)

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            principal = await auth.authenticate(request, Scope.PROCESSES)
            auth.expect_method(request, "GET", "HEAD")
            auth.expect_parameters(request, "name", "follow", "after")
            name = _name(request)
        except auth.AccessDenied as refused:
            await refused.response(scope, receive, send)
            return
        except errors.SandboxError as exc:
            await auth.refusal(exc)(scope, receive, send)
            return
        places = 1 if _follows(request) else _OF_A_WHOLE_LOG
        try:
            with self._open.hold(principal.user.pk, places):
                await self._answer(principal, name, request, send)
        except NoPlace:
            await auth.too_many("logs open", 10)(scope, receive, send)

    async def _answer(self, principal: Principal, name: str, request: Request, send: Send) -> None:
        receive, scope = request.receive, request.scope
        try:
            if not _follows(request):
                text = await subscriptions.whole_log(principal.sandbox.reach, name)
                await _file(name, text)(scope, receive, send)
                return
            after = _number(request.query_params.get("after", ""))
            is_json = NDJSON in request.headers.get("accept", "")
            kind = (b"content-type", (NDJSON if is_json else _TEXT).encode())
            headers = [kind, (b"vary", b"Accept"), *_HEADERS]
            async with (
                revocation_watcher.watching(principal.credential) as ended,
                output_of(principal.sandbox.reach, name) as output,
            ):
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                log = as_events(output, after) if is_json else as_lines(output, after)
                await _relay(log, ended, receive, send)
        except errors.SandboxError as exc:
            await auth.refusal(exc)(scope, receive, send)
        except httpx.HTTPError:
            silent = errors.ProviderUnavailable("Your sandbox is not answering. Try again.")
            await auth.refusal(silent)(scope, receive, send)


async def _relay(
    log: AsyncIterator[bytes], ended: asyncio.Event, receive: Receive, send: Send
) -> None:
    """Relay the log until the process ends, the reader leaves, or the reader's access ends."""

    async def telling() -> None:
        try:
            async for chunk in log:
                async with asyncio.timeout(_TIMEOUT):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except (httpx.HTTPError, errors.SandboxError, TimeoutError):
            return  # the page comes back, and goes on where it was

    async def leaving() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    await until_first(telling(), leaving(), ended.wait())
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _follows(request: Request) -> bool:
    return request.query_params.get("follow") == "1"


def _name(request: Request) -> str:
    name = request.query_params.get("name", "")
    if not name or is_own(name):
        raise errors.ProcessNotFound("Process not found.")
    return name


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0


def _file(name: str, text: str) -> Response:
    safe = "".join(
        each if each.isascii() and (each.isalnum() or each in "._-") else "_" for each in name
    )
    headers = {
        "content-type": _TEXT,
        **{key.decode(): value.decode() for key, value in _HEADERS},
        "content-disposition": f'attachment; filename="{safe}.log"',
    }
    return Response(text, headers=headers)


logs = Logs()
