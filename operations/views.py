"""The page that checks one's own sandbox."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from manta.requests import SignedInRequest
from operations import checking
from operations.models import Check
from sandboxes.models import Sandbox


@require_http_methods(["GET", "POST"])
@never_cache
@login_required
def check(request: SignedInRequest) -> HttpResponse:
    """GET shows the last check, or the one under way; POST starts one."""
    if request.method == "POST":
        sandbox = Sandbox.objects.of(request.user)
        if sandbox is None:
            raise Http404("You have no sandbox.")
        checking.start_check(sandbox=sandbox, actor=request.user)
        if not request.htmx:
            return redirect("operations:check")
    template = "operations/check.html#result" if request.htmx else "operations/check.html"
    context = {"check": Check.objects.filter(owner=request.user).first()}
    return render(request, template, context)
