"""Pages that belong to no app."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from operations import health
from sandboxes.models import Breaker, Heartbeat


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect("sandboxes:workspace")
    return render(request, "landing.html")


@require_GET
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Whether each thing that Manta needs works: 200, else 503. Makes no call to Blaxel.

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
            # Open: it failed so often that nobody calls it for some seconds.
            "breaker": Breaker.current().state,
        }
    body["time"] = timezone.now().isoformat()
    return JsonResponse(body, status=200 if all(checks.values()) else 503)
