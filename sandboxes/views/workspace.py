"""The workspace: one's own sandbox, its panel, and the previews of its ports."""

from csp.decorators import csp_replace
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_POST

from manta.middleware import error_page
from manta.requests import SignedInRequest
from sandboxes import errors, services
from sandboxes.panel import Panel
from sandboxes.views.answers import answer, changed, own, own_or_404, unchanged


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
    template = "sandboxes/workspace.html#stage" if request.htmx else "sandboxes/workspace.html"
    return render(request, template, {"panel": Panel.of(own(request.user))})


@require_POST
@login_required
def initialize(request: SignedInRequest) -> HttpResponse:
    services.initialize_sandbox(user=request.user)
    return answer(request)


@require_POST
@login_required
def refresh(request: SignedInRequest) -> HttpResponse:
    services.refresh_sandbox(sandbox=own_or_404(request.user))
    return answer(request)


@require_POST
@never_cache
@login_required
def open_port(request: SignedInRequest, port: int) -> HttpResponseBase:
    """Send the browser to the private preview of a port, in a tab or (?frame=1) in a frame."""
    sandbox = own_or_404(request.user)
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
