"""The sandbox's own MCP: asked with Manta's key, answered as it is."""

import itertools
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2 as httpx

from sandboxes import gateway

# Seconds. A tool may wait for a command for almost a minute before it says anything.
TIMEOUT = httpx.Timeout(120, connect=5)
_ids = itertools.count(1)
# Told of each notification that comes before the answer.
OnNotification = Callable[[dict[str, Any]], Awaitable[None]]


class Refused(Exception):
    """The sandbox's MCP answered with an error of its own; args: code, message, data."""


class Unreachable(Exception):
    """The sandbox did not answer, or not in MCP's terms."""


def new_client() -> httpx.AsyncClient:
    headers = gateway.data_plane_headers()
    headers["Authorization"] = headers["X-Blaxel-Authorization"]
    headers["Accept"] = "application/json, text/event-stream"
    return httpx.AsyncClient(
        timeout=TIMEOUT, headers=headers, limits=httpx.Limits(max_connections=None)
    )


async def ask(
    http: httpx.AsyncClient,
    url: str,
    method: str,
    params: dict[str, Any] | None,
    on_notification: OnNotification,
) -> dict[str, Any]:
    """The result of one request. Wakes the sandbox. Raises Refused or Unreachable."""
    message = {"jsonrpc": "2.0", "id": next(_ids), "method": method, "params": params or {}}
    try:
        async with http.stream("POST", f"{url}/mcp", json=message) as response:
            if response.headers.get("Content-Type", "").startswith("text/event-stream"):
                answer = await _last_of(response, on_notification)
            else:
                answer = json.loads(await response.aread())
    except (httpx.HTTPError, ValueError) as exc:
        raise Unreachable from exc
    if not isinstance(answer, dict):
        raise Unreachable
    if isinstance(answer.get("error"), dict):
        error = answer["error"]
        raise Refused(error.get("code", -32603), error.get("message", ""), error.get("data"))
    if not isinstance(answer.get("result"), dict):
        raise Unreachable
    result: dict[str, Any] = answer["result"]
    return result


async def _last_of(response: httpx.Response, on_notification: OnNotification) -> Any:
    """The answer at the end of a stream of server-sent events, each one JSON-RPC message."""
    async for line in response.aiter_lines():
        if line.startswith("data:"):
            message = json.loads(line.removeprefix("data:"))
            if "method" not in message:
                return message
            await on_notification(message)
    return None
