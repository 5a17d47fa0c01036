"""The workspace: the user's sandbox and its panel."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.requests import SignedInRequest
from sandboxes import services
from sandboxes.presenters.panel import Panel
from sandboxes.web.shortcuts import answer, changed, own, own_or_404, unchanged


@require_GET
@never_cache
@login_required
def workspace(request: SignedInRequest) -> HttpResponse:
    return render(request, "sandboxes/workspace.html", {"panel": Panel.of(own(request.user))})


@require_GET
@never_cache
@login_required
def panel(request: SignedInRequest) -> HttpResponse:
    """The panel; to htmx only when it differs from the version that the page has."""
    panel = Panel.of(own(request.user))
    if not request.htmx:
        return render(request, "sandboxes/panel.html", {"panel": panel})
    if request.GET.get("v") == panel.version:
        return unchanged(panel)
    return changed(request, panel)


@require_GET
@never_cache
@login_required
def stage(request: SignedInRequest) -> HttpResponse:
    """The workspace; to htmx only when it differs from the view that the page has."""
    panel = Panel.of(own(request.user))
    if request.htmx and request.GET.get("view") == panel.view:
        return HttpResponse(status=204)
    template = "sandboxes/workspace.html#stage" if request.htmx else "sandboxes/workspace.html"
    return render(request, template, {"panel": panel})


@require_POST
@login_required
def initialize(request: SignedInRequest) -> HttpResponse:
    services.provisioning.initialize_sandbox(user=request.user)
    return answer(request)


@require_POST
@login_required
def refresh(request: SignedInRequest) -> HttpResponse:
    services.row_updates.refresh_sandbox(sandbox=own_or_404(request.user))
    return answer(request)
