"""A few threads for the database of what runs beside Django: no stream holds a connection."""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import close_old_connections, connections

Answer = TypeVar("Answer")

THREADS = 4
threads = ThreadPoolExecutor(THREADS, thread_name_prefix="database")
# For what also waits for the provider: a provider that hangs holds up nothing else.
PROVIDER_THREADS = 8
_provider_threads = ThreadPoolExecutor(PROVIDER_THREADS, thread_name_prefix="provider")


async def run_in_db_thread(work: Callable[[], Answer]) -> Answer:
    def with_a_usable_connection() -> Answer:
        close_old_connections()
        return work()

    return await _run(threads, with_a_usable_connection)


async def while_provider_answers(work: Callable[[], Answer]) -> Answer:
    """Do what asks the provider, and the database besides. No connection is kept afterwards."""

    def with_a_connection_of_its_own() -> Answer:
        try:
            return work()
        finally:
            connections.close_all()

    return await _run(_provider_threads, with_a_connection_of_its_own)


async def _run(pool: ThreadPoolExecutor, work: Callable[[], Answer]) -> Answer:
    # With the request's id and address, which the record of what is done needs.
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(pool, context.run, work)
