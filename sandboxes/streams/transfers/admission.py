"""Admission of transfers: permission, number at once, and duration."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
from rest_framework.exceptions import ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Send
from starlette.types import Scope as ASGIScope

from accounts.models import Scope
from manta.core.errors import UserFacingError
from sandboxes import errors
from sandboxes.data_plane import files
from sandboxes.data_plane.async_client import streaming_client
from sandboxes.models.reach import Reach
from sandboxes.presenters.fields import PathField, query_of
from sandboxes.streams import auth
from sandboxes.streams.limits import NoPlace, PerUserLimit
from sandboxes.streams.revocation import revocation_watcher
from sandboxes.streams.tasks import until_first

MAX_AT_ONCE = 6
_limit = PerUserLimit(MAX_AT_ONCE)
_SCOPES = {"GET": Scope.FILES_READ, "PUT": Scope.FILES_WRITE}


@dataclass
class Exchange:
    """One request, and what was answered of it so far."""

    request: Request
    send: Send
    reach: Reach
    path: str
    has_begun: bool = False

    async def begin(self, status: int, headers: Mapping[str, str]) -> None:
        self.has_begun = True
        safe = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", **headers}
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in safe.items()]
        await self.send({"type": "http.response.start", "status": status, "headers": raw})

    async def tell(self, data: bytes, more: bool = True) -> None:
        await self.send({"type": "http.response.body", "body": data, "more_body": more})


Work = Callable[[Exchange], Awaitable[None]]


class Transfer:
    """An ASGI endpoint."""

    def __init__(self, work: Mapping[str, Work], *, places: int = 1) -> None:
        """`places`: how many of a person's one such transfer takes."""
        self._work = work
        self._places = places

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        exchange = Exchange(request, send, Reach(""), "")
        try:
            await self._allowed(exchange)
        except auth.AccessDenied as refused:
            await refused.response(scope, receive, send)
        except ClientDisconnect:
            pass
        except (UserFacingError, httpx.HTTPError) as exc:
            # What has begun is left unfinished: that is how the other side sees it.
            if not exchange.has_begun:
                await auth.refusal(_told(exc))(scope, receive, send)

    async def _allowed(self, exchange: Exchange) -> None:
        request = exchange.request
        principal = await auth.authenticate(request, _SCOPES.get(request.method, Scope.FILES_READ))
        auth.expect_method(request, *self._work)
        work = self._work[request.method]
        auth.expect_parameters(request, "path", *(["overwrite"] if request.method == "PUT" else []))
        exchange.reach, exchange.path = principal.sandbox.reach, requested_path(request)
        try:
            with _limit.hold(principal.user.pk, self._places):
                async with revocation_watcher.watching(principal.credential) as ended:
                    await _until(ended, work(exchange))
        except NoPlace as exc:
            raise errors.TooManyTransfers(
                "You have reached the maximum number of transfers. Wait for one to finish."
            ) from exc


async def _until(ended: asyncio.Event, work: Awaitable[None]) -> None:
    """Let the work come to its end, unless it is no longer allowed before."""
    for task in await until_first(work, ended.wait()):
        task.result()


def requested_path(request: Request) -> str:
    try:
        query = query_of(request.scope["query_string"].decode("latin-1"))
        return str(PathField().run_validation(query.get("path", "")))
    except ValidationError as exc:
        body = {"error": f"path: {next(iter(exc.detail))}", "code": "invalid"}
        raise auth.AccessDenied(JSONResponse(body, 400)) from exc


def attachment(name: str) -> str:
    """A Content-Disposition (RFC 6266) under which no browser shows the file as a page."""
    plain = "".join(c if " " <= c <= "~" and c not in '"\\%' else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


async def expect_success(response: httpx.Response, path: str, what: str) -> None:
    if not response.is_success:
        await response.aread()
        files.expect_file_success(response, path, what)


async def ask(method: str, where: Reach, path: str, **options: Any) -> httpx.Response:
    """One short call. path is what its failure is told of."""
    response = await streaming_client().request(method, **where.as_request(), **options)
    await expect_success(response, path, "upload a file")
    return response


def _told(exc: Exception) -> UserFacingError:
    if isinstance(exc, UserFacingError):
        return exc
    return errors.ProviderUnavailable("Your sandbox is not answering. Try again.")
