"""MCP's two transports: streamable HTTP without sessions or streams, and WebSocket."""

import asyncio
import json
import logging
import re
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from local_blaxel import fields
from local_blaxel.errors import ApiError, Invalid, NotFound, TooLarge
from local_blaxel.mcp import protocol
from local_blaxel.mcp.agent import Agent
from local_blaxel.sandbox import Sandbox

logger = logging.getLogger(__name__)

# Files are written whole through here, escaped as JSON.
LARGEST_MESSAGE = 64 * 2**20
AT_ONCE = 64
SUBPROTOCOL = "mcp"
CORS = {"Access-Control-Allow-Origin": "*"}
_LONE = re.compile("[\ud800-\udfff]")
NO_STREAM = "SSE streaming not supported. Please use POST for MCP communication."


async def over_http(sandbox: Sandbox, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one POST. Raises ApiError while nothing was answered yet."""
    request = Request(scope, receive)
    if request.method != "POST":
        refusal = JSONResponse({"error": NO_STREAM}, 405, {"Allow": "POST", **CORS})
        return await refusal(scope, receive, send)
    raw = await _body(request)
    try:
        message = fields.parsed(raw, has_paths=True)
    except Invalid as exc:
        response: Response = _json(protocol.failure(None, protocol.PARSE_ERROR, exc.message), 400)
        return await response(scope, receive, send)
    async with sandbox.use():
        answer = await _answer(message, Agent(sandbox))
    if answer is None:
        response = Response(status_code=202, headers=CORS)
    else:
        is_refused = isinstance(answer, dict) and answer["id"] is None
        response = _json(answer, 400 if is_refused else 200)
    await response(scope, receive, send)


async def _body(request: Request) -> bytes:
    raw = bytearray()
    try:
        async for chunk in request.stream():
            raw += chunk
            if len(raw) > LARGEST_MESSAGE:
                raise TooLarge(f"The body is larger than {LARGEST_MESSAGE} bytes.")
    except ClientDisconnect as exc:
        raise Invalid("The body ended early.") from exc
    return bytes(raw)


def _json(content: Any, status: int) -> Response:
    return Response(_encoded(content), status, CORS, "application/json")


def _encoded(content: Any) -> bytes:
    # Clients refuse lone surrogates. What they stand for is in the text of a tool's result.
    return _LONE.sub("\N{REPLACEMENT CHARACTER}", json.dumps(content, ensure_ascii=False)).encode()


async def _answer(message: Any, agent: Agent) -> Any:
    """Answer one message, or a batch, which versions before 2025-06-18 know."""
    if not isinstance(message, list) or not message:
        return await protocol.answer(message, agent)
    answers = [await protocol.answer(each, agent) for each in message]
    return [each for each in answers if each is not None] or None


async def over_websocket(sandbox: Sandbox, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer JSON-RPC in text frames until the client goes. Raises ApiError before it accepts.

    The sandbox is in use while a message is worked on; a client that is silent lets it sleep.
    """
    async with sandbox.use():
        socket = WebSocket(scope, receive, send)
        asked_for = scope["subprotocols"]
        await socket.accept(SUBPROTOCOL if SUBPROTOCOL in asked_for else None)
    await _Session(sandbox, socket).run()


class _Session:
    def __init__(self, sandbox: Sandbox, socket: WebSocket) -> None:
        self._sandbox = sandbox
        self._socket = socket
        self._room = asyncio.Semaphore(AT_ONCE)
        self._working: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        try:
            while True:
                raw = await self._next()
                await self._room.acquire()
                task = asyncio.create_task(self._work_on(raw))
                self._working.add(task)
                task.add_done_callback(self._done)
        except WebSocketDisconnect:
            pass
        finally:
            for task in self._working:
                task.cancel()
            await asyncio.gather(*self._working, return_exceptions=True)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        self._room.release()

    async def _next(self) -> bytes:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message["code"])
        text: str | None = message.get("text")
        return bytes(message["bytes"]) if text is None else text.encode("utf-8", "replace")

    async def _work_on(self, raw: bytes) -> None:
        message: Any = None
        try:
            message = fields.parsed(raw, has_paths=True)
            async with self._sandbox.use():
                answer = await _answer(message, Agent(self._sandbox))
        except NotFound:
            return await self._close()
        except ApiError as exc:
            code = protocol.INTERNAL_ERROR if message is not None else protocol.PARSE_ERROR
            answer = protocol.failure(_identity(message), code, exc.message)
        except Exception:
            # A task's outermost frame: the other messages go on.
            logger.exception("%s: MCP failed", self._sandbox.name)
            answer = protocol.failure(_identity(message), protocol.INTERNAL_ERROR, "It failed.")
        if answer is not None and self._is_open():
            await self._socket.send_text(_encoded(answer).decode())

    async def _close(self) -> None:
        if self._is_open():
            await self._socket.close(1001, "The sandbox is gone.")

    def _is_open(self) -> bool:
        states = self._socket.client_state, self._socket.application_state
        return states == (WebSocketState.CONNECTED, WebSocketState.CONNECTED)


def _identity(message: Any) -> str | int | None:
    identity = message.get("id") if isinstance(message, dict) else None
    return identity if isinstance(identity, str | int) else None
