"""The pages of one's own sandbox."""

import json

from csp.decorators import csp_replace
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from manta.middleware import error_page
from manta.requests import SignedInRequest
from sandboxes import errors, services
from sandboxes.activity import Page, json_lines
from sandboxes.models import Sandbox, SandboxEvent
from sandboxes.panel import Panel


def _own(user: User) -> Sandbox | None:
    """The gate: one's own sandbox. Asking for it also means that somebody is looking at it."""
    sandbox: Sandbox | None = Sandbox.objects.of(user)
    if sandbox:
        services.watch(sandbox)
    return sandbox


def _own_or_404(user: User) -> Sandbox:
    sandbox = _own(user)
    if sandbox is None:
        raise Http404("You have no sandbox.")
    return sandbox


@require_GET
@never_cache
@login_required
def workspace(request: SignedInRequest) -> HttpResponse:
    return render(request, "sandboxes/workspace.html", {"panel": Panel.of(_own(request.user))})


@require_GET
@never_cache
@login_required
def panel(request: SignedInRequest) -> HttpResponse:
    """The panel; to htmx only when it differs from the version that the page has."""
    panel = Panel.of(_own(request.user))
    if not request.htmx:
        return render(request, "sandboxes/panel.html", {"panel": panel})
    if request.GET.get("v") == panel.version:
        return _unchanged(panel)
    return _changed(request, panel)


@require_GET
@never_cache
@login_required
def stage(request: SignedInRequest) -> HttpResponse:
    template = "sandboxes/workspace.html#stage" if request.htmx else "sandboxes/workspace.html"
    return render(request, template, {"panel": Panel.of(_own(request.user))})


@require_POST
@login_required
def initialize(request: SignedInRequest) -> HttpResponse:
    services.initialize_sandbox(user=request.user)
    return _answer(request)


@require_POST
@login_required
def refresh(request: SignedInRequest) -> HttpResponse:
    services.refresh_sandbox(sandbox=_own_or_404(request.user))
    return _answer(request)


@require_POST
@never_cache
@login_required
def open_port(request: SignedInRequest, port: int) -> HttpResponseBase:
    """Send the browser to the private preview of a port, in a tab or (?frame=1) in a frame."""
    sandbox = _own_or_404(request.user)
    if port not in [configured["target"] for configured in sandbox.ports]:
        raise Http404("This port has no preview.")
    framed = "frame" in request.GET
    try:
        link = services.open_port(sandbox=sandbox, port=port, actor=request.user)
    except errors.SandboxError as exc:
        return _error_in_frame(request, exc) if framed else error_page(request, exc)
    response = HttpResponseRedirect(link)
    response.status_code = 303
    response["Referrer-Policy"] = "no-referrer"
    return response


def _error_in_frame(request: HttpRequest, exc: errors.SandboxError) -> HttpResponseBase:
    """The one page of Manta that may be framed, by Manta: why there is no preview."""

    @xframe_options_sameorigin
    @csp_replace({"frame-ancestors": ["'self'"]})
    def page(request: HttpRequest) -> HttpResponse:
        return error_page(request, exc)

    return page(request)


@require_GET
@never_cache
@login_required
def activity(request: SignedInRequest) -> HttpResponse:
    """What was done to one's sandboxes; ?before=<event> for what was done earlier."""
    before = request.GET.get("before", "")
    if before and not before.isdecimal():
        raise Http404("There is no such event.")
    context = {
        "page": Page.of(request.user, before=int(before[:18]) if before else None),
        "before": before,
        "own_name": request.user.sandbox_id,
        "retention": settings.AUDIT_RETENTION,
    }
    return render(request, "sandboxes/activity.html", context)


@require_GET
@never_cache
@login_required
def activity_export(request: SignedInRequest) -> HttpResponse:
    events = SandboxEvent.objects.visible_to(request.user).order_by("pk").iterator()
    lines = "".join(json_lines(events, request.user))
    response = HttpResponse(lines, content_type="application/jsonl")
    response["Content-Disposition"] = 'attachment; filename="manta-activity.jsonl"'
    return response


def _answer(request: SignedInRequest) -> HttpResponse:
    """After an action: the panel as it is now; without htmx, the page that holds it."""
    if not request.htmx:
        return redirect("sandboxes:workspace")
    return _changed(request, Panel.of(Sandbox.objects.of(request.user)))


def _unchanged(panel: Panel) -> HttpResponse:
    """Nothing to swap; only when it was last checked."""
    response = HttpResponse(status=204)
    if panel.checked_at:
        event = {"sandbox:checked": {"at": panel.checked_at.isoformat()}}
        response["HX-Trigger"] = json.dumps(event)
    return response


def _changed(request: SignedInRequest, panel: Panel) -> HttpResponse:
    response = render(request, "sandboxes/workspace.html#panel", {"panel": panel})
    response["HX-Trigger-After-Settle"] = json.dumps({"sandbox:changed": {"state": panel.state}})
    return response
