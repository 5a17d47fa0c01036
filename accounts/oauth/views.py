"""The endpoints of OAuth: a person consents at the first, programs ask at the others."""

from typing import Any

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST
from oauthlib.common import Request, add_params_to_uri
from oauthlib.oauth2 import AccessDeniedError, FatalClientError, OAuth2Error

from accounts import passports
from accounts.models import ConnectedAgent
from accounts.oauth import agents, redirects
from accounts.oauth.server import server
from accounts.passport_forms import PassportForm
from manta.requests import SignedInRequest


@require_http_methods(["GET", "POST"])
@never_cache
@login_required
def authorize(request: SignedInRequest) -> HttpResponse:
    """Ask the person, each time. What is asked for is in the address, for GET and POST alike."""
    try:
        _, info = server.validate_authorization_request(_uri(request))
        asked: Request = info["request"]
        if request.method == "POST" and request.POST.get("answer") != "allow":
            raise AccessDeniedError(request=asked)
    except FatalClientError as exc:
        context = {"error": exc.error, "description": exc.description}
        return render(request, "accounts/agent_refused.html", context, status=400)
    except OAuth2Error as exc:
        back = exc.in_uri(exc.redirect_uri)
        return _to_client(add_params_to_uri(back, [("iss", settings.MANTA_URL)]))
    posted = request.POST if request.method == "POST" else None
    form = PassportForm(posted, agents.passport_of(user=request.user, client=asked.client))
    if form.is_valid():
        return _to_client(_let_in(request, asked, form))
    return _consent_page(request, asked, form)


def _consent_page(request: SignedInRequest, asked: Request, form: PassportForm) -> HttpResponse:
    redirect = redirects.parse(asked.redirect_uri)
    assert redirect is not None  # noqa: S101 - or it would not be asked
    context = {
        "client": asked.client,
        "redirect": redirect,
        "days": agents.REFRESH_LIFETIME.days,
        "form": form,
    }
    status = 422 if form.is_bound else 200
    response: Any = render(request, "accounts/consent.html", context, status=status)
    # Chromium holds the redirect that follows the form's POST to the policy of the form's page.
    response._csp_update = {"form-action": [redirect.csp_source]}
    return response  # type: ignore[no-any-return]


def _let_in(request: SignedInRequest, asked: Request, form: PassportForm) -> str:
    """Where the person's browser takes the code to."""
    with transaction.atomic():
        agent = agents.let_in(user=request.user, client=asked.client)
        passports.issue(user=request.user, key=agent.key, **form.passport())
        headers, _, _ = server.create_authorization_response(
            _uri(request), credentials={"agent": agent}
        )
        transaction.on_commit(lambda: _tell(agent), robust=True)
    return str(headers["Location"])


@csrf_exempt
@require_POST
@never_cache
def token(request: HttpRequest) -> HttpResponse:
    """Tokens for a code or a refresh token. What was shown is spent, also when it is refused."""
    try:
        with transaction.atomic():
            answer = server.create_token_response(
                _uri(request), body=request.POST.urlencode(), headers={}
            )
    except OAuth2Error as exc:
        return JsonResponse(dict(exc.twotuples), status=exc.status_code)
    return _as_told(*answer)


@csrf_exempt
@require_POST
@never_cache
def revoke(request: HttpRequest) -> HttpResponse:
    """RFC 7009: a client signs out."""
    try:
        answer = server.create_revocation_response(
            _uri(request), body=request.POST.urlencode(), headers={}
        )
    except OAuth2Error as exc:
        return JsonResponse(dict(exc.twotuples), status=exc.status_code)
    return _as_told(*answer)


def _uri(request: HttpRequest) -> str:
    """Written anew: oauthlib breaks at characters that Django lets be."""
    query = request.GET.urlencode()
    return f"{request.path}?{query}" if query else request.path


def _as_told(headers: dict[str, str], body: str, status: int) -> HttpResponse:
    return HttpResponse(body, status=status, headers=headers)


def _to_client(uri: str) -> HttpResponse:
    """Not Django's redirect, which knows no schemes of apps."""
    return HttpResponse(status=302, headers={"Location": uri})


def _tell(agent: ConnectedAgent) -> None:
    """By e-mail: whoever did not let it in should know."""
    context = {"agent": agent, "url": settings.MANTA_URL + reverse("accounts:agents")}
    get_adapter().send_mail("accounts/email/agent_connected", agent.user.email, context)
