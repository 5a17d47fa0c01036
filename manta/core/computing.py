"""Threads for work on what a sandbox or an agent sent, so that the event loop answers meanwhile.

They are not the event loop's own, in which names are resolved: what sandboxes send holds up no
connection to another host.
"""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Answer = TypeVar("Answer")

THREADS = 2
_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="compute")
# For calls that wait for a sandbox's answer.
WAITING_THREADS = 8
_waiting = ThreadPoolExecutor(WAITING_THREADS, thread_name_prefix="inside")


async def in_thread(
    work: Callable[Given, Answer], *args: Given.args, **kwargs: Given.kwargs
) -> Answer:
    """Do what only computes."""
    return await _run(_threads, partial(work, *args, **kwargs))


async def while_waiting(
    work: Callable[Given, Answer], *args: Given.args, **kwargs: Given.kwargs
) -> Answer:
    """Do what asks a sandbox, and waits."""
    return await _run(_waiting, partial(work, *args, **kwargs))


async def _run(threads: ThreadPoolExecutor, work: Callable[[], Answer]) -> Answer:
    context = contextvars.copy_context()  # the id of the request, for one
    return await asyncio.get_running_loop().run_in_executor(threads, context.run, work)
