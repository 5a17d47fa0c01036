"""The job queue. A job says only "look at this row now": the row is the truth, so a lost job
costs a second, until the worker's next sweep.
"""

import logging
import sqlite3
import time

import psycopg
import redis
from django.conf import settings
from django.db import close_old_connections, connection
from huey import Huey, PostgresHuey, RedisHuey, SqliteHuey
from huey.serializer import SignedSerializer
from huey.storage import BaseSqlStorage

logger = logging.getLogger(__name__)

# Seconds that a kick may cost a request, and for which none is tried after one failed: Huey's
# storage is one connection behind a lock, so that waits would add up.
_PATIENCE = 0.1
_REST = 2.0
_rests_until = 0.0


def _queue() -> Huey:
    """Redis, else PostgreSQL, else a SQLite file of its own."""
    options = {
        # Jobs are pickles: sign them, so that who can write to the queue can't run code.
        "serializer": SignedSerializer(secret=settings.SECRET_KEY),
        "results": False,
        "immediate": False,
    }
    database = settings.DATABASES["default"]
    if settings.REDIS_URL:
        pool = redis.ConnectionPool.from_url(
            settings.REDIS_URL, socket_connect_timeout=_PATIENCE, socket_timeout=_PATIENCE
        )
        # A blocking pop would need a longer timeout than a kick may take.
        return RedisHuey("manta", connection_pool=pool, blocking=False, **options)
    if database["ENGINE"] == "django.db.backends.postgresql":
        return PostgresHuey("manta", create_tables=False, connection=_postgres, **options)
    return SqliteHuey(
        "manta",
        filename=str(settings.QUEUE_FILE),
        timeout=_PATIENCE,
        create_tables=False,  # the worker makes them: this must not touch the file on import
        **options,
    )


def _postgres() -> psycopg.Connection:
    params = connection.get_connection_params()
    names = {"dbname", "user", "password", "host", "port"} & params.keys()
    return psycopg.connect(**{name: params[name] for name in names}, connect_timeout=1)


queue = _queue()


@queue.task()  # type: ignore[untyped-decorator]
def look_at(pk: int) -> None:
    from sandboxes import reconcile

    close_old_connections()
    reconcile.reconcile(pk)


QUEUE_ERRORS = (sqlite3.Error, redis.RedisError, psycopg.Error, OSError)


def prepare() -> None:
    """Make the queue's tables, where it has any. Raises one of QUEUE_ERRORS."""
    if isinstance(queue.storage, BaseSqlStorage):
        queue.storage.initialize_schema()


def kick(pk: int) -> None:
    """Have a worker look at the row now rather than at its next sweep. Never fails."""
    global _rests_until
    if time.monotonic() < _rests_until:
        return
    try:
        look_at(pk)
    except QUEUE_ERRORS as exc:
        _rests_until = time.monotonic() + _REST
        logger.warning("The job queue is not available (%s); the next sweep does it", exc)


def is_up() -> bool:
    """Whether a job can be queued: by a write, because a locked queue can still be read."""
    try:
        queue.storage.put_data("is_up", b"")
    except QUEUE_ERRORS:
        return False
    return True
