"""Blaxel's control plane. The one package that imports the Blaxel SDK.

It takes and returns our own types and raises only sandboxes.errors. Reads go through the SDK's
HTTP client but not through its models: those raise ValueError on a status that they don't know,
and one odd sandbox in a listing must not hide all the others.
"""

from sandboxes.control_plane.client import name_request, warm
from sandboxes.control_plane.previews import (
    Preview,
    ensure_preview,
    list_previews,
    mint_preview_token,
    publish_preview,
    unpublish_preview,
)
from sandboxes.control_plane.sandboxes import (
    PAGE,
    create_if_not_exists,
    delete,
    get,
    list_images,
    list_pages,
    restart,
    set_expiry,
    set_labels,
)
from sandboxes.control_plane.sessions import Session, open_session
from sandboxes.control_plane.types import ProviderSandbox, SandboxSpec

__all__ = [
    "PAGE",
    "Preview",
    "ProviderSandbox",
    "SandboxSpec",
    "Session",
    "create_if_not_exists",
    "delete",
    "ensure_preview",
    "get",
    "list_images",
    "list_pages",
    "list_previews",
    "mint_preview_token",
    "name_request",
    "open_session",
    "publish_preview",
    "restart",
    "set_expiry",
    "set_labels",
    "unpublish_preview",
    "warm",
]
