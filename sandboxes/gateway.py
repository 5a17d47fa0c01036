"""Blaxel's control plane. The one module that imports the Blaxel SDK.

It takes and returns our own types and raises only sandboxes.errors. Reads go through the SDK's
HTTP client but not through its models: those raise ValueError on a status that they don't know,
and one odd sandbox in a listing must not hide all the others.
"""

import json
import logging
import math
import os
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

import httpx
from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from manta import request_id
from sandboxes import breaker, errors

logger = logging.getLogger(__name__)

# Seconds. The SDK has no timeout of its own: a silent provider would hold a thread for ever.
TIMEOUT = httpx.Timeout(10, connect=3)
CREATION_TIMEOUT = 50
# How many a page of the list has at most.
PAGE = 200
# The variable inside a sandbox that says which restart was its last.
_RESTARTED_AT = "MANTA_RESTARTED_AT"
_MASK = '"****"'
# A count of what is left that ends this much before the date is the same as the date.
_COUNTED_ROUGHLY = timedelta(minutes=2)
_ERROR_KEYS = {"error", "message", "code"}
_setup = threading.Lock()


@dataclass(frozen=True)
class SandboxSpec:
    """What to make. Memory in MB; expires_at is when the provider deletes it."""

    name: str
    image: str
    memory_mb: int
    ports: list[dict[str, Any]]
    region: str
    labels: dict[str, str]
    expires_at: datetime


@dataclass(frozen=True)
class ProviderSandbox:
    """A sandbox as the provider reports it; "" or None where it doesn't say."""

    name: str
    status: str = ""
    state: str = ""
    url: str = ""
    image: str = ""
    memory_mb: int | None = None
    # As "3000/HTTP"; None where it doesn't say.
    ports: frozenset[str] | None = None
    region: str = ""
    created_at: datetime | None = None
    last_used_at: datetime | None = None
    expires_at: datetime | None = None
    labels: dict[str, str] = field(default_factory=dict)


def name_request(request: httpx.Request) -> None:
    """Tell the provider for which request of ours it is called; a hook of httpx's clients."""
    request.headers.update(request_id.headers())


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
def _sdk() -> Any:
    """Import and configure the SDK, which takes seconds: never at Django's start-up."""
    if not (settings.BLAXEL_WORKSPACE_ID and settings.BLAXEL_API_KEY):
        raise errors.BadCredentials(
            "No sandbox provider is set up. Start Manta with `make run`, or set "
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
            _sdk()
    except errors.BadCredentials:
        logger.warning("Sandboxes are not configured: see `manage.py check`.")


def _client() -> httpx.Client:
    with _setup:
        _sdk()
    from blaxel.core.client.client import client

    return client.get_httpx_client()


def data_plane_headers() -> dict[str, str]:
    """What authenticates Manta to a sandbox's own URL. Never leaves the server."""
    return {
        "X-Blaxel-Authorization": f"Bearer {settings.BLAXEL_API_KEY}",
        "X-Blaxel-Workspace": settings.BLAXEL_WORKSPACE_ID,
    }


# ---- Errors


def _refusal(status: int | None, code: object, retry_after: int | None = None) -> Exception:
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
            f"The sandbox provider is asking us to slow down. {errors.TRIES_AGAIN}",
            retry_after=retry_after,
        )
    if status in (408, 409):
        return errors.ProviderBusy(
            f"The sandbox provider is still busy with this sandbox. {errors.TRIES_AGAIN}",
            retry_after=retry_after,
        )
    if status is None or status >= 500:
        return errors.ProviderUnavailable(
            f"The sandbox provider could not do this just now. {errors.TRIES_AGAIN}",
            retry_after=retry_after,
        )
    return errors.ProviderRejected(
        f"The sandbox provider refused the request ({code or status}). Ask your administrator."
    )


def _seconds_asked(headers: httpx.Headers) -> int | None:
    """What Retry-After says: seconds, or a date."""
    asked = headers.get("Retry-After", "").strip()
    if asked.isdecimal():
        return int(asked)
    try:
        until = parsedate_to_datetime(asked)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0, math.ceil((until - timezone.now()).total_seconds()))


@contextmanager
def _calling() -> Iterator[None]:
    """Let nothing out but our own errors, with the cause kept; and spare a provider that fails."""
    with _setup:
        _sdk()
    from blaxel.core.authentication.types import CredentialsError
    from blaxel.core.errors import BlaxelError

    with breaker.guard():
        try:
            yield
        except BlaxelError as exc:
            wait = _seconds_asked(exc.response.headers) if exc.response is not None else None
            raise _refusal(exc.status, exc.code, wait) from exc
        except CredentialsError as exc:
            raise _refusal(401, None) from exc
        except httpx.HTTPError as exc:
            raise errors.ProviderUnavailable(
                f"The sandbox provider is not answering. {errors.TRIES_AGAIN}"
            ) from exc


def _request(method: str, path: str, **options: Any) -> Any:
    """One call to the control plane: its JSON, or None when there is no such thing."""
    with _calling():
        response = _client().request(method, path, **options)
        try:
            body = response.json()
        except ValueError as exc:
            raise _unreadable() from exc
        # A 404 of something in between, in other words than the provider's, says nothing.
        if response.status_code == 404 and isinstance(body, dict) and body.keys() & _ERROR_KEYS:
            return None
        if response.status_code != 200:
            code = body.get("code") if isinstance(body, dict) else None
            raise _refusal(response.status_code, code, _seconds_asked(response.headers))
        return body


def _unreadable() -> errors.ProviderUnavailable:
    return errors.ProviderUnavailable(
        f"The sandbox provider's answer made no sense. {errors.TRIES_AGAIN}"
    )


# ---- Reading what it says


def _parse(data: Any) -> ProviderSandbox:
    if not isinstance(data, dict) or not isinstance(data.get("metadata"), dict):
        raise _unreadable()
    metadata, spec = data["metadata"], data.get("spec") or {}
    if not isinstance(metadata.get("name"), str):
        raise _unreadable()
    runtime = spec.get("runtime") or {}
    return ProviderSandbox(
        name=metadata["name"],
        status=str(data.get("status") or ""),
        state=str(data.get("state") or ""),
        url=str(metadata.get("url") or ""),
        image=str(runtime.get("image") or ""),
        memory_mb=runtime["memory"] if isinstance(runtime.get("memory"), int) else None,
        ports=_ports(runtime.get("ports")),
        region=str(spec.get("region") or ""),
        created_at=_moment(metadata.get("createdAt")),
        last_used_at=_moment(data.get("lastUsedAt")),
        expires_at=_expiry(data, spec),
        labels={str(key): str(value) for key, value in (metadata.get("labels") or {}).items()},
    )


def _ports(listed: Any) -> frozenset[str] | None:
    if not isinstance(listed, list):
        return None
    ports = [port for port in listed if isinstance(port, dict)]
    return frozenset(f"{port.get('target')}/{port.get('protocol') or 'HTTP'}" for port in ports)


def _moment(value: Any) -> datetime | None:
    try:
        moment = parse_datetime(str(value)) if value else None
    except ValueError:
        return None
    return timezone.make_aware(moment) if moment and timezone.is_naive(moment) else moment


def _expiry(data: dict[str, Any], spec: dict[str, Any]) -> datetime | None:
    """The date we asked for; or what is left by the provider's count, where that is less."""
    policies = (spec.get("lifecycle") or {}).get("expirationPolicies") or []
    dates = [_moment(policy.get("value")) for policy in policies if policy.get("type") == "date"]
    known = min((date for date in dates if date), default=None)
    left = data.get("expiresIn")
    if not isinstance(left, int | float):
        return known
    counted = timezone.now() + timedelta(seconds=left)
    if known and counted > known - _COUNTED_ROUGHLY:
        return known
    # To the minute: counted from now, it would differ by a little at each look.
    return counted.replace(second=0, microsecond=0)


# ---- Sandboxes


def create_if_not_exists(spec: SandboxSpec) -> ProviderSandbox:
    """Make the sandbox, or get the one that has its name; returns when it can be used."""
    wanted = {
        "name": spec.name,
        "image": spec.image,
        "memory": spec.memory_mb,
        "ports": spec.ports,
        "region": spec.region or None,
        "labels": spec.labels,
        "lifecycle": _lifecycle(spec.expires_at),
    }
    with _calling():
        try:
            made = _sdk().SyncSandboxInstance.create_if_not_exists(wanted, timeout=CREATION_TIMEOUT)
            return _parse(made.sandbox.to_dict())
        except (ValueError, KeyError, TypeError, AttributeError):
            # Made, but with something in the answer that the SDK's models don't know.
            logger.warning("The SDK could not read the answer to a create", exc_info=True)
    found = get(spec.name)
    if found is None:
        raise _unreadable()
    return found


def _lifecycle(expires_at: datetime) -> dict[str, Any]:
    date = expires_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"expirationPolicies": [{"type": "date", "value": date, "action": "delete"}]}


def get(name: str) -> ProviderSandbox | None:
    """One sandbox, or None when there is none of that name. Does not wake it."""
    data = _request("GET", f"/sandboxes/{name}")
    return None if data is None else _parse(data)


def list_pages() -> Iterator[list[ProviderSandbox]]:
    """Every sandbox of the workspace that is not terminated, page by page. Wakes none."""
    cursor = ""
    while True:
        query = {"limit": PAGE} | ({"cursor": cursor} if cursor else {})
        page = _request("GET", "/sandboxes", params=query)
        if isinstance(page, list):  # how an older API version answers
            page = {"data": page}
        if not isinstance(page, dict) or not isinstance(page.get("data"), list):
            raise _unreadable()
        yield [_parse(item) for item in page["data"]]
        cursor = (page.get("meta") or {}).get("nextCursor") or ""
        if not cursor:
            return


def delete(name: str) -> None:
    """Start its deletion. Nothing happens when there is none of that name."""
    _request("DELETE", f"/sandboxes/{name}")


def set_expiry(name: str, expires_at: datetime) -> None:
    """Move the date at which the provider deletes it. Does not restart or wake it."""
    from blaxel.core.client.models import SandboxLifecycle

    with _calling():
        _sdk().SyncSandboxInstance.update_lifecycle(
            name, SandboxLifecycle.from_dict(_lifecycle(expires_at))
        )


def set_labels(name: str, labels: dict[str, str]) -> None:
    """Add or correct these labels; others stay. Does not restart or wake it."""
    from blaxel.core.sandbox.types import SandboxUpdateMetadata

    with _calling():
        _sdk().SyncSandboxInstance.update_metadata(name, SandboxUpdateMetadata(labels=labels))


def restart(name: str, *, token: str) -> None:
    """End everything that runs in a sandbox; its files stay. Once for each token.

    Blaxel has no call for this, but reboots a sandbox whose environment changes (its /tmp is
    emptied). The update replaces the whole record, so it is read with its secrets, and refused
    where one of them is masked all the same: the mask would be written over it.

    Raises SandboxGone.
    """
    path = f"/sandboxes/{name}"
    record = _request("GET", path, params={"show_secrets": "true"})
    if record is None:
        raise errors.SandboxGone("Your sandbox is no longer there. Recreate it in the panel.")
    if _MASK in json.dumps(record):
        raise errors.ProviderRejected(
            "Blaxel does not show this sandbox's secrets, and a restart would overwrite them."
        )
    envs = record["spec"]["runtime"].get("envs") or []
    wanted = {"name": _RESTARTED_AT, "value": token}
    if wanted in [{key: env.get(key) for key in wanted} for env in envs]:
        return
    others = [env for env in envs if env.get("name") != _RESTARTED_AT]
    record["spec"]["runtime"]["envs"] = [*others, wanted]
    if _request("PUT", path, json=record) is None:
        raise errors.SandboxGone("Your sandbox is no longer there. Recreate it in the panel.")


def list_images() -> list[str]:
    """Names that SANDBOX_IMAGE can take."""
    hub = _request("GET", "/sandbox/hub") or []
    return sorted(str(item["image"]) for item in hub if item.get("image"))


# ---- Previews


def _previews(name: str) -> Any:
    from blaxel.core.client.models import Metadata, Sandbox, SandboxSpec
    from blaxel.core.sandbox.sync.preview import SyncSandboxPreviews

    return SyncSandboxPreviews(Sandbox(metadata=Metadata(name=name), spec=SandboxSpec()))


def ensure_preview(name: str, port: int) -> str:
    """The address of the port's private preview, made when there is none."""
    with _calling():
        return str(_previews(name).create_if_not_exists({"port": port}).preview.spec.url)


def mint_preview_token(name: str, port: int, lifetime: timedelta) -> tuple[str, str]:
    """The preview's address and a new token for it, which stops working after lifetime."""
    with _calling():
        preview = _previews(name).create_if_not_exists({"port": port})
        token = preview.tokens.create(timezone.now() + lifetime)
    return str(preview.preview.spec.url), str(token.value)
