"""Previews: a port of a sandbox at an address of its own. Each port has one: `preview-<port>`."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from sandboxes import errors
from sandboxes.control_plane.client import calling, request
from sandboxes.control_plane.error_mapping import unreadable
from sandboxes.control_plane.types import moment_of

# What the SDK calls a session is a preview of the sandbox's own API.
_SESSION = "session-"


@dataclass(frozen=True)
class Preview:
    """A port's preview; expires_at is when the provider deletes it, or None."""

    port: int
    url: str
    public: bool
    expires_at: datetime | None = None


def previews_of(name: str) -> Any:
    from blaxel.core.client.models import Metadata, Sandbox, SandboxSpec
    from blaxel.core.sandbox.sync.preview import SyncSandboxPreviews

    return SyncSandboxPreviews(Sandbox(metadata=Metadata(name=name), spec=SandboxSpec()))


def ensure_preview(name: str, port: int) -> str:
    """The address of the port's preview; a private one is made when there is none."""
    with calling():
        return str(previews_of(name).create_if_not_exists({"port": port}).preview.spec.url)


def mint_preview_token(name: str, port: int, lifetime: timedelta) -> tuple[str, str]:
    """The preview's address and a new token for it, which stops working after lifetime."""
    with calling():
        preview = previews_of(name).create_if_not_exists({"port": port})
        token = preview.tokens.create(timezone.now() + lifetime)
    return str(preview.preview.spec.url), str(token.value)


def list_previews(name: str) -> list[Preview]:
    """Every preview of a sandbox, by port; none of the SDK's sessions. Does not wake it."""
    listed = request("GET", f"/sandboxes/{name}/previews")
    if not isinstance(listed, list | None):
        raise unreadable()
    own = [item for item in listed or [] if not _name_of(item).startswith(_SESSION)]
    return sorted((_parse(item) for item in own), key=lambda preview: preview.port)


def publish_preview(name: str, port: int, until: datetime | None) -> str:
    """Make a port public until then, or for good, and return its address."""
    ensure_preview(name, port)
    preview = _set_public(name, port, public=True, until=until)
    if preview is None:
        raise errors.SandboxGone
    return preview.url


def unpublish_preview(name: str, port: int) -> None:
    """Make a port private and end what is open. Nothing happens when there is no preview."""
    _set_public(name, port, public=False, until=None)


def _set_public(name: str, port: int, *, public: bool, until: datetime | None) -> Preview | None:
    path = f"/sandboxes/{name}/previews/preview-{port}"
    record = request("GET", path)
    if record is None:
        return None
    kept = {key: value for key, value in record["spec"].items() if key not in ("ttl", "expires")}
    spec = {**kept, "public": public}
    if until:
        spec["expires"] = until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    changed = request("PUT", path, json={"metadata": record["metadata"], "spec": spec})
    return None if changed is None else _parse(changed)


def _name_of(data: Any) -> str:
    metadata = data.get("metadata") if isinstance(data, dict) else None
    return str((metadata or {}).get("name") or "")


def _parse(data: Any) -> Preview:
    spec = data.get("spec") if isinstance(data, dict) else None
    if not isinstance(spec, dict) or not isinstance(spec.get("port"), int):
        raise unreadable()
    return Preview(
        port=spec["port"],
        url=str(spec.get("url") or ""),
        public=spec.get("public") is True,
        expires_at=moment_of(spec.get("expires")),
    )
