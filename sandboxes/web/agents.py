"""Pages of what agents did in the user's sandbox."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.requests import SignedInRequest
from manta.core.query_parameters import whole_number
from sandboxes.models import Sandbox, ToolCall
from sandboxes.presenters.panel import Panel
from sandboxes.presenters.tool_call_log import CallPage, Search, json_lines


@require_GET
@never_cache
@login_required
def agents(request: SignedInRequest) -> HttpResponse:
    """Each call, newest first; ?before=<call> for earlier ones, ?q= and ?outcome= to search."""
    before = request.GET.get("before", "")
    if before and whole_number(before) is None:
        raise Http404("Call not found.")
    search = Search.of(request.GET)
    context = {
        "page": CallPage.of(request.user, search, before=whole_number(before)),
        "before": before,
        "search": search,
        "outcomes": ToolCall.Outcome.choices,
        "retention": settings.CALLS_RETENTION,
    }
    template = "sandboxes/agents.html#calls" if request.htmx else "sandboxes/agents.html"
    return render(request, template, context)


@require_GET
@never_cache
@login_required
def agents_export(request: SignedInRequest) -> HttpResponse:
    calls = ToolCall.objects.for_user(request.user).order_by("pk").iterator()
    response = HttpResponse("".join(json_lines(calls)), content_type="application/jsonl")
    response["Content-Disposition"] = 'attachment; filename="manta-agents.jsonl"'
    return response


@require_GET
@never_cache
@login_required
def last_call(request: SignedInRequest) -> HttpResponse:
    """The panel's row, for when a call has come."""
    panel = Panel.of(Sandbox.objects.get_for_user(request.user))
    return render(request, "sandboxes/_last_call.html", {"panel": panel})
