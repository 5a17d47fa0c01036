"""PostgreSQL's tables are emptied after a test, whatever its processes still have under way."""

import time
from collections.abc import Iterator, Sequence

import pytest
from django.db import OperationalError
from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.backends.postgresql.operations import DatabaseOperations

TRIES = 5
PAUSE = 0.2


def flush_despite_deadlocks(self: DatabaseOperations, statements: Sequence[str]) -> None:
    """Flush, and try again when PostgreSQL ended the flush to resolve a deadlock.

    A flush locks all tables, one after the other. A web process or a worker that still commits
    something of the test before may hold one of them and ask for another.
    """
    for last in (False,) * (TRIES - 1) + (True,):
        try:
            return BaseDatabaseOperations.execute_sql_flush(self, statements)
        except OperationalError as exc:
            if last or "deadlock detected" not in str(exc):
                raise
        time.sleep(PAUSE)


@pytest.fixture(scope="session", autouse=True)
def flushes_survive_deadlocks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", flush_despite_deadlocks)
        yield
