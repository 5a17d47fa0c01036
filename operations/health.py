"""Health checks of what Manta itself needs. None of them calls the provider."""

import logging

from django.conf import settings
from django.core.cache import cache
from django.db import Error as DatabaseError
from django.db import connection

logger = logging.getLogger(__name__)


def checks() -> dict[str, bool]:
    return {"database": database_works(), "cache": cache_works()}


def database_works() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as exc:
        logger.warning("The database does not respond: %s", exc)
        return False
    return True


def cache_works() -> bool:
    """Return whether the cache answers; without Redis it is in the database."""
    return not settings.REDIS_URL or cache.is_up()  # type: ignore[attr-defined]
