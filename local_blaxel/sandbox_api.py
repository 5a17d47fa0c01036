"""The API of one sandbox, by whichever address: its MCP, its ports, and its agent for the rest."""

import re

from starlette.types import Receive, Scope, Send

from local_blaxel import access, mcp
from local_blaxel.auth import Headers
from local_blaxel.errors import Invalid
from local_blaxel.proxy import Outgoing
from local_blaxel.sandbox import Sandbox

_PORT = re.compile(rb"/port/(\d{1,5})(/.*)?", re.DOTALL)
# 443 and 8080 are the sandbox's own API, which is this very address.
RESERVED_PORTS = (80, 443, 8080)


def speaks_mcp(path: bytes | None, scope: Scope) -> bool:
    """Return whether it is MCP's WebSocket, which has no path."""
    return scope["type"] == "websocket" and path in (None, b"", b"/")


async def carry(
    sandbox: Sandbox,
    path: bytes | None,
    query: bytes,
    headers: Headers,
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    """Forward one authenticated request. Raises ApiError while nothing was answered."""
    if scope["type"] == "http" and path in (b"/mcp", b"/mcp/"):
        return await mcp.over_http(sandbox, scope, receive, send)
    if speaks_mcp(path, scope):
        return await mcp.over_websocket(sandbox, scope, receive, send)
    to_port = _PORT.fullmatch(path or b"")
    if to_port is None:
        outgoing = Outgoing(access.target(path or b"", query), headers)
        return await access.agent(sandbox, outgoing, scope, receive, send)
    outgoing = Outgoing(access.target(to_port[2], query), access.forwarded(scope, headers))
    await access.port(sandbox, _open_port(int(to_port[1])), outgoing, scope, receive, send)


def _open_port(number: int) -> int:
    if not 1 <= number <= 65_535:
        raise Invalid(f"{number} is not a port.", code="BAD_REQUEST")
    if number in RESERVED_PORTS:
        raise Invalid(f"Port {number} is reserved.", code="BAD_REQUEST")
    return number
