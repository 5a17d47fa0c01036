"""One test for both of the SDK's classes: what is asynchronous is waited for, the other isn't."""

import inspect
from collections.abc import AsyncIterator, Callable
from importlib import import_module
from typing import Any

import pytest

from tests.support.local_blaxel import close_clients


async def now(said: Any) -> Any:
    """What a method of either class answers."""
    return await said if inspect.isawaitable(said) else said


# For a test of parts that are the same code in both classes but for `await`.
one_class = pytest.mark.parametrize("sandboxes", ["SyncSandboxInstance"], indirect=True)


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


@pytest.fixture
def generated(sdk: Any) -> Callable[..., Any]:
    """Calls what the SDK has no class for: generated("images.list_images", limit=1).

    Its synchronous form: both come from one template.
    """
    from blaxel.core.client.client import client

    def generated(name: str, *arguments: Any, **options: Any) -> Any:
        function = import_module(f"blaxel.core.client.api.{name}").sync
        return function(*arguments, client=client, **options)

    return generated
