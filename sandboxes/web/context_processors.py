"""Template variables of the top bar on every page."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from sandboxes.models import Sandbox
from sandboxes.presenters.panel import Panel
from sandboxes.streams import paths


def panel(request: HttpRequest) -> dict[str, Any]:
    """Return the panel of the signed-in user; read only by the pages that show it."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {
        "panel": SimpleLazyObject(lambda: Panel.of(Sandbox.objects.get_for_user(user))),
        "live_path": paths.STATUS,
        "inside_path": paths.SANDBOX_EVENTS,
        "logs_path": paths.PROCESS_LOGS,
        "idle_after": round(settings.WORKSPACE_IDLE_AFTER.total_seconds()),
        "terminal_path": paths.TERMINAL,
        "mcp_url": settings.MCP_URL,
    }
