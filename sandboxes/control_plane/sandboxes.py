"""Making, finding, changing and deleting sandboxes. None of it wakes one."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sandboxes import errors
from sandboxes.control_plane.client import calling, request, sdk
from sandboxes.control_plane.error_mapping import unreadable
from sandboxes.control_plane.types import ProviderSandbox, SandboxSpec, parse

logger = logging.getLogger(__name__)

# Seconds
CREATION_TIMEOUT = 50
# How many a page of the list has at most.
PAGE = 200
# The variable inside a sandbox that says which restart was its last.
_RESTARTED_AT = "MANTA_RESTARTED_AT"
_MASK = '"****"'


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
    with calling():
        try:
            made = sdk().SyncSandboxInstance.create_if_not_exists(wanted, timeout=CREATION_TIMEOUT)
            return parse(made.sandbox.to_dict())
        except (ValueError, KeyError, TypeError, AttributeError):
            # Made, but with something in the answer that the SDK's models don't know.
            logger.warning("The SDK could not read the answer to a create", exc_info=True)
    found = get(spec.name)
    if found is None:
        raise unreadable()
    return found


def _lifecycle(expires_at: datetime) -> dict[str, Any]:
    date = expires_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"expirationPolicies": [{"type": "date", "value": date, "action": "delete"}]}


def get(name: str) -> ProviderSandbox | None:
    """One sandbox, or None when there is none of that name. Does not wake it."""
    data = request("GET", f"/sandboxes/{name}")
    return None if data is None else parse(data)


def list_pages() -> Iterator[list[ProviderSandbox]]:
    """Every sandbox of the workspace that is not terminated, page by page. Wakes none."""
    cursor = ""
    while True:
        query = {"limit": PAGE} | ({"cursor": cursor} if cursor else {})
        page = request("GET", "/sandboxes", params=query)
        if isinstance(page, list):  # how an older API version answers
            page = {"data": page}
        if not isinstance(page, dict) or not isinstance(page.get("data"), list):
            raise unreadable()
        yield [parse(item) for item in page["data"]]
        cursor = (page.get("meta") or {}).get("nextCursor") or ""
        if not cursor:
            return


def delete(name: str) -> None:
    """Start its deletion. Nothing happens when there is none of that name."""
    request("DELETE", f"/sandboxes/{name}")


def set_expiry(name: str, expires_at: datetime) -> None:
    """Move the date at which the provider deletes it. Does not restart or wake it."""
    from blaxel.core.client.models import SandboxLifecycle

    with calling():
        sdk().SyncSandboxInstance.update_lifecycle(
            name, SandboxLifecycle.from_dict(_lifecycle(expires_at))
        )


def set_labels(name: str, labels: dict[str, str]) -> None:
    """Add or correct these labels; others stay. Does not restart or wake it."""
    from blaxel.core.sandbox.types import SandboxUpdateMetadata

    with calling():
        sdk().SyncSandboxInstance.update_metadata(name, SandboxUpdateMetadata(labels=labels))


def restart(name: str, *, token: str) -> None:
    """End everything that runs in a sandbox; its files stay. Once for each token.

    Blaxel has no call for this, but reboots a sandbox whose environment changes (its /tmp is
    emptied). The update replaces the whole record, so it is read with its secrets, and refused
    where one of them is masked all the same: the mask would be written over it.

    Raises SandboxGone.
    """
    path = f"/sandboxes/{name}"
    record = request("GET", path, params={"show_secrets": "true"})
    if record is None:
        raise errors.SandboxGone
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
    if request("PUT", path, json=record) is None:
        raise errors.SandboxGone


def list_images() -> list[str]:
    """Names that SANDBOX_IMAGE can take."""
    hub = request("GET", "/sandbox/hub") or []
    return sorted(str(item["image"]) for item in hub if item.get("image"))
