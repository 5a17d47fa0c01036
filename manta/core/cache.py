"""Redis as the cache, and this process's own memory while Redis is away.

A sign-in must neither fail nor wait because a cache is down: rate limits then hold per process.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

# Seconds for which Redis is not asked again after it failed.
_REST = 5.0


class FallbackRedisCache(RedisCache):
    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._memory = LocMemCache("redis-is-away", {**params, "OPTIONS": {}})
        self._down_until = 0.0

    def is_up(self) -> bool:
        """Ask Redis itself."""
        try:
            return bool(self._cache.get_client(None).ping())
        except RedisError:
            return False

    def _either(self, name: str, redis_does: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() >= self._down_until:
            try:
                return redis_does(*args, **kwargs)
            except RedisError as exc:
                logger.warning("Redis is not available (%s); caching in memory", exc)
                self._down_until = time.monotonic() + _REST
        return getattr(self._memory, name)(*args, **kwargs)

    def add(self, *args: Any, **kwargs: Any) -> Any:
        return self._either("add", super().add, *args, **kwargs)

    def get(self, *args: Any, **kwargs: Any) -> Any:
        return self._either("get", super().get, *args, **kwargs)

    def set(self, *args: Any, **kwargs: Any) -> Any:
        return self._either("set", super().set, *args, **kwargs)

    def touch(self, *args: Any, **kwargs: Any) -> Any:
        return self._either("touch", super().touch, *args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        return self._either("delete", super().delete, *args, **kwargs)

    def has_key(self, *args: Any, **kwargs: Any) -> Any:
        return self._either("has_key", super().has_key, *args, **kwargs)

    def incr(self, *args: Any, **kwargs: Any) -> Any:
        return self._either("incr", super().incr, *args, **kwargs)

    def get_many(self, *args: Any, **kwargs: Any) -> Any:
        return self._either("get_many", super().get_many, *args, **kwargs)

    def set_many(self, *args: Any, **kwargs: Any) -> Any:
        return self._either("set_many", super().set_many, *args, **kwargs)

    def delete_many(self, *args: Any, **kwargs: Any) -> Any:
        return self._either("delete_many", super().delete_many, *args, **kwargs)

    def clear(self) -> Any:
        return self._either("clear", super().clear)
