"""Mapping of the provider's errors to Manta's own."""

import math
from datetime import UTC
from email.utils import parsedate_to_datetime

import httpx
from django.conf import settings
from django.utils import timezone

from sandboxes import errors


def refusal(status: int | None, code: object, retry_after: int | None = None) -> Exception:
    """The error for an answer that the provider gave with this status and error code."""
    if code in ("INVALID_IMAGE", "IMAGE_NOT_FOUND"):
        return errors.UnknownImage(
            f"The provider has no image {settings.SANDBOX_IMAGE!r}. Set SANDBOX_IMAGE to one of "
            "those that `manage.py images` lists."
        )
    if code in ("QUOTA_EXCEEDED", "USAGE_LIMIT_EXCEEDED") or status == 402:
        return errors.QuotaExceeded(
            "The provider's quota for sandboxes is used up. Ask your administrator to raise it."
        )
    if status in (401, 403):
        return errors.BadCredentials(
            "The sandbox provider does not accept Manta's key. Ask your administrator to check "
            "BLAXEL_WORKSPACE_ID and BLAXEL_API_KEY."
        )
    if status == 429:
        return errors.ProviderUnavailable(
            f"The sandbox provider receives too many requests. {errors.TRIES_AGAIN}",
            retry_after=retry_after,
        )
    if status in (408, 409):
        return errors.ProviderBusy(
            f"The sandbox provider is still busy with this sandbox. {errors.TRIES_AGAIN}",
            retry_after=retry_after,
        )
    if status is None or status >= 500:
        return errors.ProviderUnavailable(
            f"The sandbox provider could not do this right now. {errors.TRIES_AGAIN}",
            retry_after=retry_after,
        )
    return errors.ProviderRejected(
        f"The sandbox provider refused the request ({code or status}). Ask your administrator."
    )


def seconds_asked(headers: httpx.Headers) -> int | None:
    """Return the seconds that Retry-After gives, as a number or as a date."""
    asked = headers.get("Retry-After", "").strip()
    if asked.isdecimal():
        return int(asked)
    try:
        until = parsedate_to_datetime(asked)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0, math.ceil((until - timezone.now()).total_seconds()))


def unreadable() -> errors.ProviderUnavailable:
    return errors.ProviderUnavailable(
        f"The sandbox provider returned an unexpected response. {errors.TRIES_AGAIN}"
    )
