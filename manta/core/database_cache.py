"""The database as the cache of all processes, where there is no Redis.

Rate limits and one-time codes rest on add(): of all the processes that add a key, one succeeds.
"""

import base64
import pickle
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.core.cache import caches
from django.core.cache.backends import db
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.db import connection
from django.utils import timezone

_SET = """
    INSERT INTO {table} (cache_key, value, expires) VALUES (%s, %s, %s)
    ON CONFLICT (cache_key) DO UPDATE SET value = excluded.value, expires = excluded.expires
"""
_ADD = f"{_SET} WHERE {{table}}.expires < %s"
_GET = "SELECT cache_key, value FROM {table} WHERE cache_key IN ({keys}) AND expires >= %s"
_FOREVER = datetime.max.replace(tzinfo=UTC)


class DatabaseCache(db.DatabaseCache):
    """Django's, with a read or a write as one statement, and without its limit.

    Django's reads before it writes, so two processes could take over one key that has expired. Its
    reads delete what has expired, by the key alone: also what another process has added since. What
    exceeds its limit is forgotten: whoever fills the cache would lift everybody's rate limits.
    """

    _table: str

    def get_many(self, keys: Iterable[str], version: int | None = None) -> dict[str, Any]:
        asked = {self.make_and_validate_key(key, version=version): key for key in keys}
        if not asked:
            return {}
        sql = _GET.format(table=self._table, keys=", ".join(["%s"] * len(asked)))
        with connection.cursor() as cursor:
            cursor.execute(sql, [*asked, _stored(timezone.now())])
            rows = cursor.fetchall()
        # Only Manta writes here.
        return {asked[key]: pickle.loads(base64.b64decode(value)) for key, value in rows}  # noqa: S301

    def set(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        self._write(_SET, self._row(key, value, timeout, version))

    def add(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        row = self._row(key, value, timeout, version)
        return self._write(_ADD, [*row, _stored(timezone.now())]) > 0

    def forget_expired(self) -> None:
        self._write("DELETE FROM {table} WHERE expires < %s", [_stored(timezone.now())])

    def _row(self, key: str, value: Any, timeout: Any, version: int | None) -> list[Any]:
        until = self.get_backend_timeout(timeout)
        expires = _FOREVER if until is None else datetime.fromtimestamp(until, UTC)
        pickled = base64.b64encode(pickle.dumps(value, self.pickle_protocol)).decode()
        return [self.make_and_validate_key(key, version=version), pickled, _stored(expires)]

    def _write(self, sql: str, values: list[Any]) -> int:
        with connection.cursor() as cursor:
            cursor.execute(sql.format(table=self._table), values)
            return int(cursor.rowcount)


def forget_expired() -> None:
    """Delete what no longer holds, which nobody may ask for again."""
    cache = caches["default"]
    if isinstance(cache, DatabaseCache):
        cache.forget_expired()


def _stored(moment: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(moment)
