"""Helpers for the pages of a sandbox: find the user's sandbox, answer an action."""

import json

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from accounts.models import User
from accounts.requests import SignedInRequest
from sandboxes import services
from sandboxes.models import Sandbox
from sandboxes.presenters.panel import Panel


def own(user: User) -> Sandbox | None:
    """Return the user's sandbox or None, and have the worker keep its row fresh."""
    sandbox: Sandbox | None = Sandbox.objects.get_for_user(user)
    if sandbox:
        services.row_updates.keep_fresh(sandbox)
    return sandbox


def own_or_404(user: User) -> Sandbox:
    sandbox = own(user)
    if sandbox is None:
        raise Http404("You have no sandbox.")
    return sandbox


def answer(request: SignedInRequest) -> HttpResponse:
    """Answer an action with the current panel; without htmx, redirect to the page that holds it."""
    if not request.htmx:
        return redirect("sandboxes:workspace")
    return changed(request, Panel.of(Sandbox.objects.get_for_user(request.user)))


def unchanged(panel: Panel) -> HttpResponse:
    """Answer with nothing to swap, and only the time of the last check."""
    response = HttpResponse(status=204)
    if panel.checked_at:
        event = {"sandbox:checked": {"at": panel.checked_at.isoformat()}}
        response["HX-Trigger"] = json.dumps(event)
    return response


def changed(request: SignedInRequest, panel: Panel) -> HttpResponse:
    response = render(request, "sandboxes/workspace.html#panel", {"panel": panel})
    response["HX-Trigger-After-Settle"] = json.dumps({"sandbox:changed": {"state": panel.state}})
    return response
