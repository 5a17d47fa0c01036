"""The asynchronous twin of client, for what streams: beside Django, in the process's event loop."""

import asyncio
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

import httpx

from sandboxes import control_plane
from sandboxes.data_plane.bounded import PLAIN, AsyncSandboxClient

# Seconds. Between two pieces of a stream a sandbox may be busy for long, and wakes meanwhile.
TIMEOUT = httpx.Timeout(60, connect=5)
# Extensions of a request whose answer is passed on, or read line by line, as it comes.
PASSED_ON: dict[str, Any] = {"most": None}
_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncSandboxClient] = WeakKeyDictionary()


def streaming_client() -> AsyncSandboxClient:
    """The one client of this event loop. It has no limit of connections: those of its users do."""
    loop = asyncio.get_running_loop()
    if loop not in _clients:
        _clients[loop] = AsyncSandboxClient(
            timeout=TIMEOUT,
            headers=PLAIN,
            event_hooks={"request": [_name_request]},
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
        )
    return _clients[loop]


async def close_streaming_client() -> None:
    with suppress(KeyError):
        await _clients.pop(asyncio.get_running_loop()).aclose()


async def _name_request(request: httpx.Request) -> None:
    control_plane.client.name_request(request)
