"""Page of the self test of the user's sandbox, and the readiness check."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts.requests import SignedInRequest
from operations import health, self_test
from operations.models import Check
from sandboxes.models import Breaker, Heartbeat, Sandbox


@require_http_methods(["GET", "POST"])
@never_cache
@login_required
def check(request: SignedInRequest) -> HttpResponse:
    """GET shows the last check, or the one under way; POST starts one."""
    if request.method == "POST":
        sandbox = Sandbox.objects.get_for_user(request.user)
        if sandbox is None:
            raise Http404("You have no sandbox.")
        self_test.start_check(sandbox=sandbox, actor=request.user)
        if not request.htmx:
            return redirect("operations:check")
    template = "operations/check.html#result" if request.htmx else "operations/check.html"
    context = {"check": Check.objects.filter(owner=request.user).first()}
    return render(request, template, context)


@require_GET
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Return the state of each thing that Manta needs: 200, else 503. Makes no call to Blaxel.

    The provider's entry is its last success as the worker saw it; it does not decide, because
    Manta answers from what it last knew.
    """
    checks = health.checks()
    body: dict[str, object] = {name: "ok" if ok else "failing" for name, ok in checks.items()}
    if checks["database"]:
        provider = Heartbeat.of(Heartbeat.Subject.PROVIDER)
        body["provider"] = {
            "lastSuccess": provider.ok_at.isoformat() if provider.ok_at else None,
            "failing": provider.is_failing,
            # Open: after repeated failures it is not called for some seconds.
            "breaker": Breaker.current().state,
        }
    body["time"] = timezone.now().isoformat()
    return JsonResponse(body, status=200 if all(checks.values()) else 503)
