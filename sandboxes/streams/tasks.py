"""Tasks that belong together: the first that ends, ends the others."""

import asyncio
from collections.abc import Awaitable
from typing import Any


async def until_first(*works: Awaitable[Any]) -> list[asyncio.Future[Any]]:
    """Run all until one has ended, cancel the others and wait for them; return those that ended."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return [task for task in tasks if task in ended]
