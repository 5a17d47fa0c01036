"""One test for both of the SDK's classes: what is asynchronous is waited for, the other isn't."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib import import_module
from typing import Any

import pytest

from .running import close_clients


async def now(said: Any) -> Any:
    """What a method of either class answers."""
    return await said if inspect.isawaitable(said) else said


@pytest.fixture(params=["SyncSandboxInstance", "SandboxInstance"])
def sandboxes(request: pytest.FixtureRequest, sdk: Any) -> Any:
    """One of the two classes, pointed at the server."""
    from blaxel import core

    return getattr(core, request.param)


@pytest.fixture
async def either(sandboxes: Any, name: str) -> AsyncIterator[Any]:
    """A sandbox through that class."""
    box = await now(sandboxes.get(name))
    yield box
    if sandboxes.__name__ == "SandboxInstance":
        await close_clients(box)


@pytest.fixture(params=["sync", "asyncio"])
def generated(request: pytest.FixtureRequest, sdk: Any) -> Callable[..., Any]:
    """Calls what the SDK has no class for: generated("images.list_images", limit=1)."""
    from blaxel.core.client.client import client

    async def closed_afterwards(answer: Awaitable[Any]) -> Any:
        try:
            return await answer
        finally:
            await client.get_async_httpx_client().aclose()
            client._async_client = None

    def generated(name: str, *arguments: Any, **options: Any) -> Any:
        function = getattr(import_module(f"blaxel.core.client.api.{name}"), request.param)
        answer = function(*arguments, client=client, **options)
        return asyncio.run(closed_afterwards(answer)) if request.param == "asyncio" else answer

    return generated
