"""A few threads for the database of what runs beside Django: no stream holds a connection."""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import close_old_connections

Answer = TypeVar("Answer")

THREADS = 4
threads = ThreadPoolExecutor(THREADS, thread_name_prefix="database")


async def run_in_db_thread(work: Callable[[], Answer]) -> Answer:
    def with_a_usable_connection() -> Answer:
        close_old_connections()
        return work()

    # With the request's id and address, which the record of what is done needs.
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(
        threads, context.run, with_a_usable_connection
    )
