"""One shared client to the sandboxes' own servers, and what their failures mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import httpx

from sandboxes import errors, gateway

# Seconds; longer than the starter may take to listen.
TIMEOUT = httpx.Timeout(20, connect=3)


@cache
def client() -> httpx.Client:
    return httpx.Client(
        timeout=TIMEOUT,
        headers=gateway.data_plane_headers(),
        event_hooks={"request": [gateway.name_request]},
    )


@contextmanager
def translated() -> Iterator[None]:
    try:
        yield
    except httpx.HTTPError as exc:
        raise errors.ProviderUnavailable(
            f"Your sandbox is not answering. {errors.TRIES_AGAIN}"
        ) from exc


def request(method: str, url: str, **options: Any) -> httpx.Response:
    with translated():
        response = client().request(method, url, **options)
    refuse_failures(response)
    return response


def refuse_failures(response: httpx.Response) -> None:
    """Raise what no caller can do anything about."""
    if response.status_code in (401, 403):
        raise errors.BadCredentials("The sandbox does not accept Manta's key.")
    if response.status_code >= 500:
        raise errors.ProviderUnavailable(
            f"Your sandbox could not do this just now. {errors.TRIES_AGAIN}"
        )


def expect_success(response: httpx.Response, what: str) -> None:
    if response.status_code >= 400:
        raise errors.ProviderRejected(f"The sandbox refused to {what} ({response.status_code}).")


def is_from_gateway(response: httpx.Response) -> bool:
    """Whether the provider's gateway says it, and not the app on the port."""
    try:
        body = response.read() and response.json()
    except ValueError:
        return False
    return isinstance(body, dict) and isinstance(body.get("error"), dict)
