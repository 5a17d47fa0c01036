"""A sandbox as it is asked for, and as the provider reports it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from sandboxes.control_plane.error_mapping import unreadable

# A count of what is left that ends this much before the date is the same as the date.
_COUNTED_ROUGHLY = timedelta(minutes=2)


@dataclass(frozen=True)
class SandboxSpec:
    """A sandbox to be made. Memory in MB; expires_at is when the provider deletes it."""

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


def parse(data: Any) -> ProviderSandbox:
    if not isinstance(data, dict) or not isinstance(data.get("metadata"), dict):
        raise unreadable()
    metadata, spec = data["metadata"], data.get("spec") or {}
    if not isinstance(metadata.get("name"), str):
        raise unreadable()
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
        created_at=moment_of(metadata.get("createdAt")),
        last_used_at=moment_of(data.get("lastUsedAt")),
        expires_at=_expiry(data, spec),
        labels={str(key): str(value) for key, value in (metadata.get("labels") or {}).items()},
    )


def _ports(listed: Any) -> frozenset[str] | None:
    if not isinstance(listed, list):
        return None
    ports = [port for port in listed if isinstance(port, dict)]
    return frozenset(f"{port.get('target')}/{port.get('protocol') or 'HTTP'}" for port in ports)


def moment_of(value: Any) -> datetime | None:
    try:
        moment = parse_datetime(str(value)) if value else None
    except ValueError:
        return None
    return timezone.make_aware(moment) if moment and timezone.is_naive(moment) else moment


def _expiry(data: dict[str, Any], spec: dict[str, Any]) -> datetime | None:
    """The date we asked for; or what is left by the provider's count, where that is less."""
    policies = (spec.get("lifecycle") or {}).get("expirationPolicies") or []
    dates = [moment_of(policy.get("value")) for policy in policies if policy.get("type") == "date"]
    known = min((date for date in dates if date), default=None)
    left = data.get("expiresIn")
    if not isinstance(left, int | float):
        return known
    counted = timezone.now() + timedelta(seconds=left)
    if known and counted > known - _COUNTED_ROUGHLY:
        return known
    # To the minute: counted from now, it would differ by a little at each look.
    return counted.replace(second=0, microsecond=0)
