"""Settings of logging."""

from manta.settings.runtime import LOG_FORMAT, LOG_LEVEL

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "manta.core.request_context.RequestIdFilter"},
        "of_strangers": {"()": "manta.core.logs.OfStrangers"},
        "of_connections": {"()": "manta.core.logs.OfConnections"},
    },
    "formatters": {
        "line": {
            "()": "manta.core.logs.LineFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s",
        },
        "json": {"()": "manta.core.logs.JSONFormatter"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": LOG_FORMAT,
            "filters": ["request_id"],
        },
        "strangers": {
            "class": "logging.StreamHandler",
            "formatter": LOG_FORMAT,
            "filters": ["of_strangers", "request_id"],
        },
        "failures": {"class": "operations.failures.FailureHandler", "level": "ERROR"},
    },
    "root": {"handlers": ["console", "failures"], "level": LOG_LEVEL},
    "loggers": {
        # They log each request, which to the provider is one a second while a page is open.
        "httpx": {"level": "WARNING"},
        "httpx2": {"level": "WARNING"},
        "mcp": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        # Requests that were refused for what they are.
        "django.security": {"handlers": ["strangers"], "propagate": False},
        # It brings a handler of its own, which would write neither JSON nor request ids.
        "uvicorn": {"handlers": [], "propagate": True},
        "uvicorn.error": {"level": "WARNING", "filters": ["of_connections"]},
        # Addresses may hold private data.
        "uvicorn.access": {"handlers": [], "propagate": False},
    },
}
