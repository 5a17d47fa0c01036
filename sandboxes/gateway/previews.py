"""Previews: a port of a sandbox at an address of its own."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from sandboxes.gateway.client import calling


def _previews(name: str) -> Any:
    from blaxel.core.client.models import Metadata, Sandbox, SandboxSpec
    from blaxel.core.sandbox.sync.preview import SyncSandboxPreviews

    return SyncSandboxPreviews(Sandbox(metadata=Metadata(name=name), spec=SandboxSpec()))


def ensure_preview(name: str, port: int) -> str:
    """The address of the port's private preview, made when there is none."""
    with calling():
        return str(_previews(name).create_if_not_exists({"port": port}).preview.spec.url)


def mint_preview_token(name: str, port: int, lifetime: timedelta) -> tuple[str, str]:
    """The preview's address and a new token for it, which stops working after lifetime."""
    with calling():
        preview = _previews(name).create_if_not_exists({"port": port})
        token = preview.tokens.create(timezone.now() + lifetime)
    return str(preview.preview.spec.url), str(token.value)
