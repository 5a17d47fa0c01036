"""A call of a tool without the SDK's streams and tasks, which take longer than the call itself.

The SDK still checks what was sent, and shapes what is answered. What needs more than one answer, as
a call whose progress is asked for, goes through all of it.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
import mcp_types as types
import pydantic_core
from mcp.server.connection import Connection
from mcp.server.lowlevel import Server
from mcp.server.runner import serve_one
from mcp.shared.exceptions import NoBackChannelError
from mcp.shared.jsonrpc_dispatcher import handler_exception_to_error_data
from mcp.shared.message import ServerMessageMetadata
from mcp.shared.transport_context import TransportContext
from mcp_types import DEFAULT_NEGOTIATED_VERSION
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from pydantic import ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

logger = logging.getLogger(__name__)

_METHODS = ("tools/call", "tools/list")
_VERSION = "mcp-protocol-version"
_HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"connection", b"keep-alive"),
    (b"x-accel-buffering", b"no"),
]
# Seconds after which an answer begins that is not there yet, so that its client goes on waiting,
# and between two signs of life.
_START_TIMEOUT, _PING_EVERY = 1.0, 15.0
_PING = b": ping\r\n\r\n"
_TRANSPORT = TransportContext(kind="streamable-http", can_send_request=False)


@dataclass
class _Dispatched:
    """The SDK's context of one request: nothing but its answer can be sent."""

    request_id: types.RequestId
    message_metadata: ServerMessageMetadata
    transport: TransportContext = _TRANSPORT
    cancel_requested: anyio.Event = field(default_factory=anyio.Event)
    can_send_request: bool = False

    async def send_raw_request(self, method: str, *args: Any) -> dict[str, Any]:
        raise NoBackChannelError(method)

    async def notify(self, *args: Any) -> None:
        """Leave it unsaid."""

    async def progress(self, *args: Any) -> None:
        """Leave it unsaid: nobody has asked for it."""


def request_in(body: bytes, headers: Mapping[str, str]) -> types.JSONRPCRequest | None:
    """Return the request that a body is, or None for all that the SDK has to answer."""
    if headers.get(_VERSION, DEFAULT_NEGOTIATED_VERSION) not in HANDSHAKE_PROTOCOL_VERSIONS:
        return None
    try:
        sent = pydantic_core.from_json(body)
        message = types.jsonrpc_message_adapter.validate_python(sent, by_name=False)
    except (ValueError, ValidationError):
        return None
    if not isinstance(message, types.JSONRPCRequest) or message.method not in _METHODS:
        return None
    return None if "_meta" in (message.params or {}) else message


async def answer(
    server: Server[Any],
    state: Any,
    message: types.JSONRPCRequest,
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    """Answer a request by one event. Raises ClientDisconnect when nobody waits for it any more."""
    work = asyncio.ensure_future(_outcome(server, state, message, Request(scope)))
    start = {"type": "http.response.start", "status": 200, "headers": _HEADERS}
    try:
        await asyncio.wait({work}, timeout=_START_TIMEOUT)
        await send(start)
        if not work.done():
            await _wait(work, receive, send)
        event = b"event: message\r\ndata: %b\r\n\r\n" % work.result()
        await send({"type": "http.response.body", "body": event, "more_body": False})
    finally:
        # Its sender's place is free only when nothing of the call runs any more.
        if not work.done():
            work.cancel()
            await asyncio.wait({work})


async def _wait(work: asyncio.Future[bytes], receive: Receive, send: Send) -> None:
    left = asyncio.ensure_future(_until_left(receive))
    either: set[asyncio.Future[Any]] = {work, left}
    first = asyncio.FIRST_COMPLETED
    try:
        while not work.done():
            await asyncio.wait(either, timeout=_PING_EVERY, return_when=first)
            if left.done():
                raise ClientDisconnect
            if not work.done():
                await send({"type": "http.response.body", "body": _PING, "more_body": True})
    finally:
        left.cancel()


async def _until_left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _outcome(
    server: Server[Any], state: Any, message: types.JSONRPCRequest, request: Request
) -> bytes:
    version = request.headers.get(_VERSION, DEFAULT_NEGOTIATED_VERSION)
    connection = Connection.from_envelope(version, None, None)
    context = _Dispatched(message.id, ServerMessageMetadata(request_context=request))
    told: types.JSONRPCResponse | types.JSONRPCError
    try:
        result = await serve_one(
            server,
            context,
            message.method,
            message.params,
            connection=connection,
            lifespan_state=state,
        )
        told = types.JSONRPCResponse(jsonrpc="2.0", id=message.id, result=result)
    except Exception as exc:
        # As the SDK's dispatcher does: a bug is told to its caller, too.
        error = handler_exception_to_error_data(exc)
        if error is None:
            logger.exception("An MCP request failed")
            error = types.ErrorData(code=0, message=str(exc))
        told = types.JSONRPCError(jsonrpc="2.0", id=message.id, error=error)
    return told.model_dump_json(by_alias=True, exclude_unset=True).encode()
