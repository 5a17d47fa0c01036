"""A few threads for the database of what runs beside Django: no stream holds a connection."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import close_old_connections

Answer = TypeVar("Answer")

THREADS = 4
threads = ThreadPoolExecutor(THREADS, thread_name_prefix="database")


async def in_database(work: Callable[[], Answer]) -> Answer:
    def with_a_usable_connection() -> Answer:
        close_old_connections()
        return work()

    return await asyncio.get_running_loop().run_in_executor(threads, with_a_usable_connection)
