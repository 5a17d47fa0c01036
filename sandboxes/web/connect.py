"""Connecting an agent: what to tell its client, whether it works, and who is connected."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.requests import SignedInRequest
from sandboxes import errors
from sandboxes.mcp import connection_test
from sandboxes.presenters.mcp_client_presets import CLIENTS, named
from sandboxes.presenters.mcp_connections import connections

# Which part of the page htmx asks for, by its target.
_PARTS = {"client": "#client", "connections": "#connections"}


@require_GET
@never_cache
@login_required
def connect(request: SignedInRequest) -> HttpResponse:
    """?client= chooses one of the usual clients."""
    part = _PARTS.get(request.htmx.target or "", "") if request.htmx else ""
    return render(request, f"sandboxes/connect.html{part}", _context(request))


@require_POST
@never_cache
@login_required
def connect_test(request: SignedInRequest) -> HttpResponse:
    """A real call. What goes wrong is an answer, too: it is what was to be found out."""
    context = _context(request)
    try:
        steps = connection_test.run(request.user)
        context |= {"steps": steps, "total": sum(step.milliseconds for step in steps)}
    except errors.SandboxError as exc:
        context["failure"] = exc
    return render(request, f"sandboxes/connect.html{'#result' if request.htmx else ''}", context)


def _context(request: SignedInRequest) -> dict[str, object]:
    client = named(request.GET.get("client", CLIENTS[0].slug), settings.MCP_URL)
    if client is None:
        raise Http404("Client not found.")
    return {
        "clients": CLIENTS,
        "client": client,
        "mcp_url": settings.MCP_URL,
        "connections": connections(request.user),
    }
