"""Failures to Sentry, where SENTRY_DSN names one: the error, its traceback and the request's id.

What is logged as an error is what is sent. None of Sentry's integrations with frameworks runs, so
that nothing of a request or a variable is ever collected.
"""

from typing import Any

import sentry_sdk
from django.conf import settings
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.types import Event

from manta.core.logs import redact
from manta.core.request_context import current_request_id
from operations.failures import OF_STRANGERS

_KEPT = {
    *("event_id", "timestamp", "platform", "level", "logger", "sdk"),
    *("release", "environment", "server_name", "exception", "logentry"),
}


def start() -> None:
    if not settings.SENTRY_DSN:
        return
    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[LoggingIntegration(level=None), DedupeIntegration()],
        send_default_pii=False,
        max_request_body_size="never",
        include_local_variables=False,
        trace_propagation_targets=[],
        before_send=scrub,
    )


def stop(timeout: float) -> None:
    """Send what is still waiting."""
    sentry_sdk.flush(timeout)


def scrub(event: Event, hint: dict[str, Any]) -> Event | None:
    """Return the parts of an event that may leave this machine; None if a stranger caused it."""
    if str(event.get("logger", "")).startswith(OF_STRANGERS):
        return None
    kept: Any = {name: _redacted(value) for name, value in event.items() if name in _KEPT}
    kept["tags"] = {"request_id": current_request_id()}
    scrubbed: Event = kept
    return scrubbed


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: _redacted(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(item) for item in value]
    return value
