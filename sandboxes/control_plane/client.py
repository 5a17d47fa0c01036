"""The SDK: set up once, called through one door, and its errors translated there.

The package takes and returns our own types and raises only sandboxes.errors. Reads go through the
SDK's HTTP client but not through its models: those raise ValueError on a status that they don't
know, and one odd sandbox in a listing must not hide all the others.
"""

import logging
import os
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import httpx
from django.conf import settings

from manta.core import request_context
from sandboxes import errors
from sandboxes.control_plane import circuit_breaker
from sandboxes.control_plane.error_mapping import refusal, seconds_asked, unreadable

logger = logging.getLogger(__name__)

# Seconds. The SDK has no timeout of its own: a silent provider would hold a thread for ever.
TIMEOUT = httpx.Timeout(10, connect=3)
_ERROR_KEYS = {"error", "message", "code"}
_setup = threading.Lock()


def name_request(request: httpx.Request) -> None:
    """Tell the provider for which request of ours it is called; a hook of httpx's clients."""
    request.headers.update(request_context.headers())


class _NamedRequests(httpx.Auth):
    """The SDK's own authentication, with the name of our request beside it."""

    def __init__(self, auth: httpx.Auth) -> None:
        self._auth = auth

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        name_request(request)
        yield from self._auth.sync_auth_flow(request)


@cache
def sdk() -> Any:
    """Import and configure the SDK, which takes seconds: never at Django's start-up."""
    if not (settings.BLAXEL_WORKSPACE_ID and settings.BLAXEL_API_KEY):
        raise errors.BadCredentials(
            "No sandbox provider is configured. Start Manta with `make run`, or set "
            "BLAXEL_WORKSPACE_ID and BLAXEL_API_KEY."
        )
    os.environ.update(  # the SDK reads its own names, once, when it is imported
        BL_WORKSPACE=settings.BLAXEL_WORKSPACE_ID,
        BL_API_KEY=settings.BLAXEL_API_KEY,
        BL_REGION=settings.SANDBOX_REGION,
        DO_NOT_TRACK="1",
    )
    import blaxel.core
    from blaxel.core.client.client import client
    from blaxel.core.common.settings import settings as sdk_settings

    # It has no variable for its address; data-plane traffic follows metadata.url by itself.
    client.with_base_url(settings.BLAXEL_API_URL)
    client.with_timeout(TIMEOUT)
    # Not an event hook: the SDK makes creates with a copy of the client, without its hooks.
    client.with_auth(_NamedRequests(sdk_settings.auth))
    return blaxel.core


def warm() -> None:
    """Import the SDK ahead of its first use, in a thread of its own."""
    try:
        with _setup:
            sdk()
    except errors.BadCredentials:
        logger.warning("Sandboxes are not configured: see `manage.py check`.")


def _client() -> httpx.Client:
    with _setup:
        sdk()
    from blaxel.core.client.client import client

    return client.get_httpx_client()


@contextmanager
def calling() -> Iterator[None]:
    """Let nothing out but our own errors, with the cause kept; and spare a provider that fails."""
    with _setup:
        sdk()
    from blaxel.core.authentication.types import CredentialsError
    from blaxel.core.errors import BlaxelError

    with circuit_breaker.guard():
        try:
            yield
        except BlaxelError as exc:
            wait = seconds_asked(exc.response.headers) if exc.response is not None else None
            raise refusal(exc.status, exc.code, wait) from exc
        except CredentialsError as exc:
            raise refusal(401, None) from exc
        except httpx.HTTPError as exc:
            raise errors.ProviderUnavailable(
                f"The sandbox provider is not answering. {errors.TRIES_AGAIN}"
            ) from exc


def request(method: str, path: str, **options: Any) -> Any:
    """One call to the control plane: its JSON, or None when there is no such thing."""
    with calling():
        response = _client().request(method, path, **options)
        try:
            body = response.json()
        except ValueError as exc:
            raise unreadable() from exc
        # A 404 of something in between, in other words than the provider's, says nothing.
        if response.status_code == 404 and isinstance(body, dict) and body.keys() & _ERROR_KEYS:
            return None
        if response.status_code != 200:
            code = body.get("code") if isinstance(body, dict) else None
            raise refusal(response.status_code, code, seconds_asked(response.headers))
        return body
