"""``/watch/filesystem``: the changes below a directory, one JSON object a line."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from . import paths
from .files import refusal, status
from .inotify import Change, Watch
from .sandbox import Sandbox
from .wire import ApiError, query_list
from .writing import DRAFT

PREFIX = "/watch/filesystem"
KEEPALIVE_SECONDS = 30.0
BELOW = "/**"


class WatchApi:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def routes(self) -> list[Route]:
        return [Route(PREFIX + path, self.watch, methods=["GET"]) for path in ("", "/{path:path}")]

    async def watch(self, request: Request) -> Response:
        path = paths.requested(request, self._sandbox, PREFIX)
        recursive = path.endswith(BELOW)
        path = path.removesuffix(BELOW) or "/" if recursive else path
        if not stat.S_ISDIR(status(path).st_mode):
            raise ApiError(400, "path is not a directory", "ENOTDIR")
        ignored = [*query_list(request, "ignore"), f"/{DRAFT}"]
        try:
            watch = Watch(
                path, recursive=recursive, skips=lambda each: any(part in each for part in ignored)
            )
        except OSError as exc:
            raise refusal(422, "watch", path, exc) from exc
        return Changes(watch)


class Changes(StreamingResponse):
    """The watch is closed however the answer ends, also when it never begins."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(_lines(watch), media_type="text/plain; charset=utf-8")
        self._watch = watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._watch.close()


async def _lines(watch: Watch) -> AsyncIterator[bytes]:
    while True:
        try:
            async with asyncio.timeout(KEEPALIVE_SECONDS):
                change = await watch.next()
        except TimeoutError:
            yield b"[keepalive]\n"
            continue
        if change is None:
            return
        yield _line(change)


def _line(change: Change) -> bytes:
    event = {
        "op": change.operation,
        "name": change.name,
        "path": change.folder,
        "error": change.error,
    }
    return json.dumps(event, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
