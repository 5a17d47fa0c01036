"""The account's own pages; signing in and up are allauth's."""

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from accounts.forms import DeleteAccountForm
from accounts.models import User
from manta.requests import SignedInRequest
from sandboxes import services


@require_GET
@login_required
def settings(request: SignedInRequest) -> HttpResponse:
    return render(request, "accounts/settings.html")


@require_http_methods(["GET", "POST"])
@login_required
@reauthentication_required  # type: ignore[untyped-decorator]
def delete(request: SignedInRequest) -> HttpResponse:
    form = DeleteAccountForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        user = User.objects.get(pk=request.user.pk)
        logout(request)
        services.delete_account(user=user)
        messages.success(request, "Your account is deleted, and your sandbox goes with it.")
        return redirect("home")
    status = 422 if form.errors else 200
    return render(request, "accounts/delete.html", {"form": form}, status=status)
