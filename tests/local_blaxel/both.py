"""One test for both of the SDK's classes: what is asynchronous is waited for, the other isn't."""

import inspect
from collections.abc import AsyncIterator
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
