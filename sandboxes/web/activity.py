"""Page of what was done to the user's sandboxes."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.requests import SignedInRequest
from manta.core.query_parameters import whole_number
from sandboxes.models import SandboxEvent
from sandboxes.presenters.event_log import Page, json_lines


@require_GET
@never_cache
@login_required
def activity(request: SignedInRequest) -> HttpResponse:
    """Show what was done to the user's sandboxes; ?before=<event> shows earlier events."""
    before = request.GET.get("before", "")
    if before and whole_number(before) is None:
        raise Http404("Event not found.")
    context = {
        "page": Page.of(request.user, before=whole_number(before)),
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
