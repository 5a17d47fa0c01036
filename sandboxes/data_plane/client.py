"""One shared client to the sandboxes' own servers, and what their failures mean."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import httpx

from manta.core import json_values
from sandboxes import control_plane, errors
from sandboxes.data_plane.bounded import PLAIN, AnswerTooLong, SandboxClient
from sandboxes.models.reach import NOT_FOUND, Reach, gateway_code_in

# Seconds until a sandbox begins to answer, also one that has to wake first.
TIMEOUT = httpx.Timeout(5, connect=3)
# The same for what may be much work: a tree to delete, or to look through.
LONG_TIMEOUT = httpx.Timeout(20, connect=3)
_TOO_LONG = "Your sandbox's response is too long."


@cache
def client() -> SandboxClient:
    return SandboxClient(
        timeout=TIMEOUT,
        headers=PLAIN,
        event_hooks={"request": [control_plane.client.name_request]},
    )


def after(seconds: float) -> httpx.Timeout:
    """Return the timeouts for a request that is answered after this many seconds at most."""
    return httpx.Timeout(seconds + 5, connect=3)


@contextmanager
def translated() -> Iterator[None]:
    try:
        yield
    except AnswerTooLong as exc:
        raise errors.ProviderUnavailable(_TOO_LONG) from exc
    except httpx.HTTPError as exc:
        raise errors.ProviderUnavailable(
            f"Your sandbox is not answering. {errors.TRIES_AGAIN}"
        ) from exc


@contextmanager
def understood() -> Iterator[None]:
    """Translate errors of parsing an answer, which any program in the sandbox may have written."""
    try:
        yield
    except json_values.TooManyValues as exc:
        raise errors.ProviderUnavailable(_TOO_LONG) from exc
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as exc:
        raise errors.ProviderUnavailable("Your sandbox returned an unexpected response.") from exc


def request(
    method: str, where: Reach, *, headers: Mapping[str, str] | None = None, **options: Any
) -> httpx.Response:
    with translated():
        response = client().request(method, **where.as_request(headers), **options)
    refuse_failures(response)
    return response


def object_of(response: httpx.Response, max_tokens: int = json_values.MAX_TOKENS) -> dict[str, Any]:
    """The JSON object that was answered. Raises ProviderUnavailable."""
    with understood():
        found = json_values.loads(response.content, max_tokens)
        if not isinstance(found, dict):
            raise ValueError("no object")
    return found


def objects_of(found: Any) -> list[dict[str, Any]]:
    """The objects of a list that was answered; [] where there is none."""
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def refuse_failures(response: httpx.Response) -> None:
    """Raise what no caller can do anything about."""
    if response.status_code in (401, 403):
        raise errors.ProviderUnavailable(
            f"Your sandbox does not accept Manta's session. {errors.TRIES_AGAIN}"
        )
    if response.status_code >= 500 or _gateway_says(response, "WORKLOAD_UNAVAILABLE", NOT_FOUND):
        raise errors.ProviderUnavailable(
            f"Your sandbox could not do this right now. {errors.TRIES_AGAIN}"
        )


def expect_success(response: httpx.Response, what: str) -> None:
    if response.status_code >= 400:
        raise errors.ProviderRejected(f"The sandbox refused to {what} ({response.status_code}).")


def is_from_gateway(response: httpx.Response) -> bool:
    """Return True for an error of the provider's gateway, which is none of the app on a port."""
    return gateway_code_in(response.read()) is not None


def _gateway_says(response: httpx.Response, *codes: str) -> bool:
    """Return True for a "not found" of the provider's gateway that has one of these codes.

    The worker finds out if the sandbox is gone; until then nothing in it counts as "not there".
    """
    return response.status_code == 404 and gateway_code_in(response.read()) in codes
