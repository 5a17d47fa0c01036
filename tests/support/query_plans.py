"""SQLite's plans of queries: whether an index serves them."""

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext


def plans(ask: Callable[[], object]) -> list[str]:
    """Return how SQLite reads the rows for each query."""
    with CaptureQueriesContext(connection) as asked:
        ask()
    with connection.cursor() as cursor:
        return [_plan(cursor, query["sql"]) for query in asked.captured_queries]


def _plan(cursor: Any, sql: str) -> str:
    return " ".join(row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall())
