"""Actions on the user's sandbox. A destructive one has a page that asks for the sandbox's name."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.requests import SignedInRequest
from sandboxes import services
from sandboxes.models import Phase
from sandboxes.presenters.unsaved_work import Losses
from sandboxes.web.forms import ConfirmForm
from sandboxes.web.shortcuts import answer, own, own_or_404


@require_POST
@login_required
def restart(request: SignedInRequest) -> HttpResponse:
    services.restarts.restart_sandbox(sandbox=own_or_404(request.user), actor=request.user)
    return answer(request)


@require_POST
@login_required
def extend(request: SignedInRequest) -> HttpResponse:
    services.expiry.extend_sandbox(sandbox=own_or_404(request.user), actor=request.user)
    return answer(request)


@require_POST
@login_required
def dismiss_reminder(request: SignedInRequest) -> HttpResponse:
    services.expiry.dismiss_reminder(sandbox=own_or_404(request.user))
    return answer(request)


@require_http_methods(["GET", "POST"])
@never_cache
@login_required
def reset(request: SignedInRequest) -> HttpResponse:
    return _confirmed(request, "reset", services.deletion.reset_sandbox)


@require_http_methods(["GET", "POST"])
@never_cache
@login_required
def delete(request: SignedInRequest) -> HttpResponse:
    return _confirmed(request, "delete", services.deletion.delete_sandbox)


def _confirmed(request: SignedInRequest, action: str, act: Callable[..., None]) -> HttpResponse:
    """Show what would be lost, and act once the sandbox's name was typed."""
    sandbox = own(request.user)
    if sandbox is None or sandbox.phase == Phase.GONE:
        return redirect("sandboxes:workspace")
    wants_look = "look" in request.POST
    if wants_look:
        services.deletion.look_for_unsaved_work(sandbox=sandbox)
        if not request.htmx:
            return redirect(request.path)
    form = ConfirmForm(None if wants_look else request.POST or None, sandbox=sandbox)
    if form.is_valid():
        if form.is_of_this_sandbox:
            act(sandbox=sandbox, actor=request.user)
        else:
            messages.info(
                request, "That sandbox had already been deleted. Your current one was not changed."
            )
        return redirect("sandboxes:workspace")
    context = {"action": action, "sandbox": sandbox, "form": form, "losses": Losses(sandbox)}
    template = "sandboxes/confirm.html#unsaved" if request.htmx else "sandboxes/confirm.html"
    return render(request, template, context, status=422 if form.errors else 200)
