"""Ports of the user's sandbox: list, open, publish."""

import json
from urllib.parse import urlsplit

from csp.decorators import csp_replace
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.requests import SignedInRequest
from manta.core.middleware import error_page
from manta.core.query_parameters import whole_number
from sandboxes import errors, services
from sandboxes.models import PublicPort
from sandboxes.web.forms import PublishForm
from sandboxes.web.shortcuts import own_or_404


@require_GET
@never_cache
@login_required
def ports(request: SignedInRequest) -> HttpResponse:
    """The list of ports; ?look wakes the sandbox, and says what listens now."""
    wake = "look" in request.GET
    sandbox = own_or_404(request.user)
    trouble = ""
    try:
        found = services.ports.list_ports(sandbox=sandbox, wake=wake)
    except errors.ProviderError as exc:
        # While it restarts, say. What is known without it is shown all the same.
        wake, trouble = False, str(exc)
        found = services.ports.list_ports(sandbox=sandbox, wake=False)
    context = {"ports": found, "looked": wake, "trouble": trouble, "sandbox": sandbox}
    whole = "sandboxes/ports.html"
    return render(request, f"{whole}#list" if request.htmx else whole, context)


@require_GET
@never_cache
@login_required
def visibility(request: SignedInRequest) -> HttpResponse:
    """Show who may open ?port=, for the preview's bar. It reads a row and wakes nothing."""
    sandbox = own_or_404(request.user)
    asked = request.GET.get("port", "")
    number = whole_number(asked[:6]) or sandbox.first_port
    public = PublicPort.objects.current().filter(sandbox=sandbox, port=number or 0).first()
    return render(request, "sandboxes/_visibility.html", {"number": number, "public": public})


@require_POST
@never_cache
@login_required
def open_port(request: SignedInRequest, port: int) -> HttpResponseBase:
    """Send the browser to the private preview of a port, in a tab or (?frame=1) in a frame."""
    framed = "frame" in request.GET
    try:
        link = services.ports.open_port(
            sandbox=own_or_404(request.user),
            port=port,
            path=request.POST.get("path", "/"),
            actor=request.user,
        )
        _refuse_own_origin(request, link)
    except errors.SandboxError as exc:
        return _error_in_frame(request, exc) if framed else error_page(request, exc)
    response = HttpResponseRedirect(link)
    response.status_code = 303
    response["Referrer-Policy"] = "no-referrer"
    return response


@require_http_methods(["GET", "POST"])
@never_cache
@login_required
def publish_port(request: SignedInRequest, port: int) -> HttpResponse:
    """Say what public means and ask for how long; then make the port public."""
    sandbox = own_or_404(request.user)
    services.ports.require_open_to_previews(port)
    form = PublishForm(request.POST or None)
    if form.is_valid():
        services.ports.make_public(
            sandbox=sandbox, port=port, lasts=form.cleaned_data["lasts"], actor=request.user
        )
        return _changed(request)
    template = "sandboxes/publish.html#dialog" if request.htmx else "sandboxes/publish.html"
    return render(
        request, template, {"form": form, "port": port}, status=422 if form.errors else 200
    )


@require_POST
@never_cache
@login_required
def unpublish_port(request: SignedInRequest, port: int) -> HttpResponse:
    services.ports.make_private(sandbox=own_or_404(request.user), port=port, actor=request.user)
    return _changed(request)


def _changed(request: SignedInRequest) -> HttpResponse:
    """Answer a change of ports with an event that makes the lists of ports reload."""
    if not request.htmx:
        return redirect("sandboxes:workspace")
    response = HttpResponse(status=204)
    response["HX-Trigger"] = json.dumps({"ports:public": {}, "sandbox:refresh": {}})
    return response


def _refuse_own_origin(request: HttpRequest, link: str) -> None:
    """A sandbox's page on Manta's own origin could read Manta's. Raises ProviderRejected."""
    if urlsplit(link).netloc == request.get_host():
        raise errors.ProviderRejected(
            "Previews share Manta's own address here, so they can't be opened. Ask your "
            "administrator to give them a separate host."
        )


def _error_in_frame(request: HttpRequest, exc: errors.SandboxError) -> HttpResponseBase:
    """The one page of Manta that may be framed, by Manta: why there is no preview."""

    @xframe_options_sameorigin
    @csp_replace({"frame-ancestors": ["'self'"]})
    def page(request: HttpRequest) -> HttpResponse:
        return error_page(request, exc)

    return page(request)
