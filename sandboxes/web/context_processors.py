"""What every page's top bar needs."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from sandboxes import live, terminal
from sandboxes.inside import path as inside
from sandboxes.models import Sandbox
from sandboxes.presenters.panel import Panel


def panel(request: HttpRequest) -> dict[str, Any]:
    """The panel of who is signed in; read only by the pages that show it."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {
        "panel": SimpleLazyObject(lambda: Panel.of(Sandbox.objects.of(user))),
        "live_path": live.PATH,
        "inside_path": inside.PATH,
        "logs_path": inside.LOGS_PATH,
        "idle_after": round(settings.WORKSPACE_IDLE_AFTER.total_seconds()),
        "terminal_path": terminal.PATH,
        "mcp_url": settings.MCP_URL,
    }
