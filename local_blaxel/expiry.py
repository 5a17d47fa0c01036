"""Expiry of a sandbox: the policies of `spec.runtime` and `spec.lifecycle`."""

from typing import Any

from local_blaxel import clock

DEFAULT_RETENTION = 300.0


def ends_at(spec: dict[str, Any], *, created_at: float, used_at: float) -> float | None:
    """The earliest moment one of the policies asks for, or None without any.

    `ttl-idle` counts from the last use, so that a sandbox in steady use never ends by it. (The
    cloud counts from the last resume.)
    """
    runtime = spec.get("runtime") or {}
    moments = []
    if runtime.get("ttl"):
        moments.append(created_at + clock.duration(runtime["ttl"]))
    if runtime.get("expires"):
        moments.append(clock.moment(runtime["expires"]))
    for policy in (spec.get("lifecycle") or {}).get("expirationPolicies") or []:
        moments.append(_policy_moment(policy, created_at=created_at, used_at=used_at))
    return min(moments, default=None)


def _policy_moment(policy: dict[str, Any], *, created_at: float, used_at: float) -> float:
    match policy["type"]:
        case "ttl-max-age":
            return created_at + clock.duration(policy["value"])
        case "ttl-idle":
            return used_at + clock.duration(policy["value"])
        case _:
            return clock.moment(policy["value"])


def retention(spec: dict[str, Any]) -> float:
    """Return how long the tombstone stays readable, in seconds."""
    text = (spec.get("lifecycle") or {}).get("terminatedRetention")
    return clock.duration(text) if text else DEFAULT_RETENTION
