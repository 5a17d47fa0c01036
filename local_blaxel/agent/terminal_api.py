"""``/terminal``: a page with a terminal, and the WebSocket that it, or any client, talks to."""

from __future__ import annotations

import asyncio
import contextlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from . import paths
from .sandbox import Sandbox
from .terminals import Session, Terminals
from .wire import ApiError, query_text

STATIC = Path(__file__).with_name("static")
STYLES = ["xterm-6.0.0.css"]
SCRIPTS = ["xterm-6.0.0.js", "xterm-addon-fit-0.11.0.js"]
COLS, ROWS, MAX_SIZE = 80, 24, 1000
# The page's address may hold a token.
PAGE_HEADERS = {"Referrer-Policy": "no-referrer"}


class TerminalApi:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._terminals = Terminals(sandbox)

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/terminal", self.page, methods=["GET"]),
            WebSocketRoute("/terminal/ws", self.connect),
        ]

    @property
    def _is_disabled(self) -> bool:
        return self._sandbox.environ.get("DISABLE_TERMINAL") == "true"

    async def page(self, request: Request) -> Response:
        if self._is_disabled:
            raise HTTPException(404)
        return HTMLResponse(_page(), headers=PAGE_HEADERS)

    async def connect(self, websocket: WebSocket) -> None:
        if self._is_disabled:
            return await websocket.close()
        await websocket.accept()
        # The client may leave at any moment.
        with contextlib.suppress(WebSocketDisconnect, OSError):
            try:
                session = await self._open(websocket)
            except ApiError as exc:
                await websocket.send_text(_message("error", exc.message))
            else:
                await _join(websocket, session)
            await websocket.close()

    async def _open(self, websocket: WebSocket) -> Session:
        cwd = paths.absolute(query_text(websocket, "workingDir") or ".", self._sandbox)
        size = _size(_number(websocket, "cols"), _number(websocket, "rows"))
        session_id, shell = query_text(websocket, "sessionId"), query_text(websocket, "shell")
        return await self._terminals.open(session_id or "default", shell, cwd, size)


async def _join(websocket: WebSocket, session: Session) -> None:
    """Show the session to the client, and hear it, until either ends."""

    async def send(text: str) -> None:
        await websocket.send_text(_message("output", text))

    tasks = [
        asyncio.create_task(session.show(send)),
        asyncio.create_task(_hear(websocket, session)),
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _hear(websocket: WebSocket, session: Session) -> None:
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code") or 1000)
        said = _understood(message.get("text") or "")
        match said.get("type"):
            case "input" if isinstance(said.get("data"), str):
                await session.write(said["data"])
            case "resize":
                session.resize(*_size(said.get("cols"), said.get("rows")))


def _understood(text: str) -> dict[str, Any]:
    """The JSON object, or none: what can't be understood is ignored."""
    with contextlib.suppress(ValueError, RecursionError):
        if isinstance(said := json.loads(text), dict):
            return said
    return {}


def _message(kind: str, data: str) -> str:
    return json.dumps({"type": kind, "data": data})


def _number(connection: HTTPConnection, name: str) -> int:
    text = query_text(connection, name)
    return int(text[:9]) if text.isascii() and text.isdigit() else 0


def _size(cols: Any, rows: Any) -> tuple[int, int]:
    """Columns and rows; what makes no sense is the usual size."""
    asked = ((cols, COLS), (rows, ROWS))
    width, height = (
        value if isinstance(value, int) and 1 <= value <= MAX_SIZE else usual
        for value, usual in asked
    )
    return width, height


@cache
def _page() -> str:
    """Everything in one answer: what a page would load by itself has no token in its address."""
    page = (STATIC / "terminal.html").read_text(encoding="utf-8")
    parts = {"{{styles}}": STYLES, "{{scripts}}": SCRIPTS}
    for mark, names in parts.items():
        page = page.replace(
            mark, "\n".join((STATIC / name).read_text(encoding="utf-8") for name in names)
        )
    return page
