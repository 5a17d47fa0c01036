"""Settings of the database, the cache and sessions."""

import dj_database_url

from manta.core import env
from manta.settings.runtime import MANTA_STATE_DIR

DATABASES = {
    "default": dj_database_url.parse(
        env.secret("DATABASE_URL") or f"sqlite:///{MANTA_STATE_DIR / 'manta.sqlite3'}",
        # One persistent connection a thread: a new one for each request cost half the rate.
        conn_max_age=None,
        # Asked before it is used: after a restart of the database each would fail once otherwise.
        conn_health_checks=True,
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # IMMEDIATE and WAL: with the defaults 39 % of contended writes were lost.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA busy_timeout=20000;"
            "PRAGMA journal_size_limit=27103364;PRAGMA cache_size=-20000;"
            "PRAGMA temp_store=MEMORY;PRAGMA mmap_size=134217728;"
        ),
    }
    # Tests with threads need a file: the in-memory database locks them out.
    DATABASES["default"]["TEST"] = {"NAME": MANTA_STATE_DIR / "test.sqlite3"}

REDIS_URL = env.secret("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "manta.core.cache.FallbackRedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_connect_timeout": 0.1, "socket_timeout": 0.1},
    }
    if REDIS_URL
    else {
        "BACKEND": "manta.core.database_cache.DatabaseCache",
        "LOCATION": "manta_cache",
    },
    # For what each process may find out by itself.
    "process": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    },
}
# In the database, Redis or not: a cached session outlived its sign-out while Redis was away.
SESSION_ENGINE = "accounts.session_store"
