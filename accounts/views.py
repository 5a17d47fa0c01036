"""The account's own pages; signing in and up, and each way of it, are allauth's."""

from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.internal.flows.sessions import end_other_sessions, end_sessions
from allauth.usersessions.models import UserSession
from django.conf import settings as django_settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import access
from accounts.browsers import browser_name
from accounts.data import own_data
from accounts.deletion import delete_account
from accounts.forms import DeleteAccountForm
from accounts.models import ConnectedAgent, PersonalToken, User
from accounts.requests import SignedInRequest


@require_GET
@login_required
def settings(request: SignedInRequest) -> HttpResponse:
    user = request.user
    context = {
        **_second_factors(user),
        "unconfirmed": EmailAddress.objects.filter(user=user, verified=False).exists(),
        "connected": SocialAccount.objects.filter(user=user),
        "providers_exist": bool(django_settings.SOCIALACCOUNT_PROVIDERS),
    }
    return render(request, "accounts/settings.html", context)


def _second_factors(user: User) -> dict[str, Any]:
    found = list(Authenticator.objects.filter(user=user))
    codes = [one for one in found if one.type == Authenticator.Type.RECOVERY_CODES]
    return {
        "totp": any(one.type == Authenticator.Type.TOTP for one in found),
        "passkeys": [one for one in found if one.type == Authenticator.Type.WEBAUTHN],
        "recovery_codes_left": len(codes[0].wrap().get_unused_codes()) if codes else 0,
    }


@require_GET
@never_cache
@login_required
def sessions(request: SignedInRequest) -> HttpResponse:
    found = UserSession.objects.purge_and_list(request.user)
    found.sort(key=lambda one: (one.is_current(), one.last_seen_at), reverse=True)
    tokens, agents = PersonalToken.objects, ConnectedAgent.objects
    context = {
        "sessions": [(one, browser_name(one.user_agent)) for one in found],
        "has_programs": any(kind.for_user(request.user).exists() for kind in (tokens, agents)),
    }
    return render(request, "accounts/sessions.html", context)


@require_POST
@login_required
def end_session(request: SignedInRequest, pk: int) -> HttpResponse:
    session = get_object_or_404(UserSession, pk=pk, user=request.user)
    end_sessions(request, [session])
    messages.success(request, "The browser was signed out.")
    return redirect("accounts:sessions")


@require_POST
@login_required
def end_sessions_elsewhere(request: SignedInRequest) -> HttpResponse:
    end_other_sessions(request, request.user)
    messages.success(request, "All other browsers were signed out.")
    if request.POST.get("end_programs"):
        access.end_programs(request.user)
        messages.success(
            request, "All personal tokens were revoked and all agents were disconnected."
        )
    return redirect("accounts:sessions")


@require_http_methods(["GET", "POST"])
@never_cache
@login_required
@reauthentication_required  # type: ignore[untyped-decorator]
def data(request: SignedInRequest) -> HttpResponse:
    """Show a summary of the user's data; POST downloads it."""
    if request.method == "GET":
        return render(request, "accounts/data.html")
    response = JsonResponse(own_data(request.user), json_dumps_params={"indent": 2})
    response["Content-Disposition"] = 'attachment; filename="manta-data.json"'
    return response


@require_http_methods(["GET", "POST"])
@login_required
@reauthentication_required  # type: ignore[untyped-decorator]
def delete(request: SignedInRequest) -> HttpResponse:
    form = DeleteAccountForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        user = User.objects.get(pk=request.user.pk)
        logout(request)
        delete_account(user=user)
        messages.success(request, "Your account was deleted. Your sandbox is being deleted, too.")
        return redirect("home")
    status = 422 if form.errors else 200
    return render(request, "accounts/delete.html", {"form": form}, status=status)
