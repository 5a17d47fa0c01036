"""Pages of a user's personal tokens."""

from allauth.account.adapter import get_adapter
from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts import agent_permissions, tokens
from accounts.models import PersonalToken, User
from accounts.requests import SignedInRequest
from accounts.token_forms import TokenForm


@require_GET
@never_cache
@login_required
def own_tokens(request: SignedInRequest) -> HttpResponse:
    context = {"tokens": PersonalToken.objects.for_user(request.user)}
    return render(request, "accounts/tokens.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@login_required
@reauthentication_required  # type: ignore[untyped-decorator]
def new_token(request: SignedInRequest) -> HttpResponse:
    """Make one, and show it: this answer is the only place where it is ever written."""
    form = TokenForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        return render(request, "accounts/new_token.html", {"form": form}, status=status)
    made = _made(request.user, form)
    if made is None:
        messages.info(
            request,
            "This token was created, and is not shown again. If you have lost it, create another.",
        )
        return redirect("accounts:tokens")
    token, raw = made
    transaction.on_commit(lambda: _tell(token), robust=True)
    context = {"token": token, "raw": raw, "site": settings.MANTA_URL}
    return render(request, "accounts/token_made.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@login_required
def revoke_token(request: SignedInRequest, pk: int) -> HttpResponse:
    token = get_object_or_404(PersonalToken.objects.for_user(request.user), pk=pk)
    if request.method == "GET":
        context = {"ends": token, "verb": "Revoke", "list_url": reverse("accounts:tokens")}
        return render(request, "accounts/revoke_token.html", context)
    tokens.revoke(token)
    messages.success(request, f"The token “{token}” was revoked.")
    return redirect("accounts:tokens")


def _made(user: User, form: TokenForm) -> tuple[PersonalToken, str] | None:
    fields = {name: form.cleaned_data[name] for name in ("key", "name", "scopes", "lifetime")}
    with transaction.atomic():
        made = tokens.mint(user=user, **fields)
        if made and form.wants_permissions:
            agent_permissions.issue(user=user, key=made[0].key, **form.permissions())
    return made


def _tell(token: PersonalToken) -> None:
    """Tell the user by e-mail, in case the token was made without them."""
    context = {"token": token, "url": settings.MANTA_URL + reverse("accounts:tokens")}
    get_adapter().send_mail("accounts/email/token_made", token.user.email, context)
