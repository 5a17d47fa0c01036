"""Connection test: a real call over /mcp's own server, in the user's name."""

import asyncio
import time
from collections.abc import Awaitable
from concurrent.futures import CancelledError as Stopped
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx
from django.conf import settings

from accounts.models import Scope, User
from accounts.tokens import Grant
from sandboxes import errors
from sandboxes.mcp import upstream
from sandboxes.mcp.endpoint import endpoint
from sandboxes.models.reach import Reach

# Names it among the calls; no token has such a key.
KEY = "connection-test"
_TIMEOUT = 30.0
_HELLO = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "manta-connect", "version": "1"},
}


@dataclass(frozen=True)
class Step:
    method: str
    told: str
    milliseconds: int


def run(user: User) -> list[Step]:
    """Return the answer and the duration of each step. Wakes the sandbox. Raises a SandboxError."""
    grant = Grant(user, frozenset({Scope.MCP}), "Connection test", KEY)
    if endpoint.loop is None:
        raise errors.ProviderUnavailable("Manta's MCP server is not running.")
    running = asyncio.run_coroutine_threadsafe(_steps(grant), endpoint.loop)
    try:
        return running.result(_TIMEOUT)
    except TookTooLong as exc:
        running.cancel()
        raise errors.ProviderUnavailable(
            f"There was no response within {_TIMEOUT:.0f} seconds."
        ) from exc
    except Stopped as exc:
        raise errors.ProviderUnavailable("Manta's MCP server is stopping.") from exc
    except upstream.Refused as exc:
        raise errors.ProviderRejected(f"The MCP server refused: {exc.args[1]}") from exc
    except upstream.Unreachable as exc:
        raise errors.ProviderUnavailable("The MCP server did not respond.") from exc


async def _steps(grant: Grant) -> list[Step]:
    transport = httpx.ASGITransport(await endpoint.answering(grant))
    accepted = {"Accept": "application/json, text/event-stream"}
    async with httpx.AsyncClient(transport=transport, headers=accepted) as http:

        def ask(method: str, params: dict[str, Any]) -> Awaitable[dict[str, Any]]:
            return upstream.ask(http, Reach(settings.MANTA_URL), method, params, _ignore)

        hello, first = await _timed(ask("initialize", _HELLO))
        listed, second = await _timed(ask("tools/list", {}))
        status, third = await _timed(ask("tools/call", {"name": "sandboxStatus", "arguments": {}}))
    if status.get("isError"):
        raise errors.ProviderRejected(status["content"][0]["text"])
    server = f"{hello['serverInfo']['name']}, MCP {hello['protocolVersion']}"
    return [
        Step("initialize", server, first),
        Step("tools/list", f"{len(listed['tools'])} tools", second),
        Step("sandboxStatus", str(status["structuredContent"]["status"]), third),
    ]


async def _timed(asked: Awaitable[dict[str, Any]]) -> tuple[dict[str, Any], int]:
    started = time.perf_counter()
    answer = await asked
    return answer, round(1000 * (time.perf_counter() - started))


async def _ignore(notification: dict[str, Any]) -> None:
    """Ignore a notification that comes before the answer."""
