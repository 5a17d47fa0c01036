"""The endpoints of OAuth: a person consents at the first, programs ask at the others."""

import re
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from allauth.account.adapter import get_adapter
from allauth.idp.oidc.forms import AuthorizationForm
from allauth.idp.oidc.views import AuthorizationView, TokenView
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from oauthlib.common import Request, add_params_to_uri
from oauthlib.oauth2 import (
    FatalClientError,
    InvalidClientError,
    InvalidClientIdError,
    InvalidGrantError,
    InvalidRequestError,
    InvalidRequestFatalError,
    InvalidScopeError,
    MismatchingRedirectURIError,
    MissingRedirectURIError,
    OAuth2Error,
    UnsupportedGrantTypeError,
)

from accounts import agent_permissions
from accounts.agent_permission_forms import PermissionsForm
from accounts.models import AgentSecret, ConnectedAgent, Scope
from accounts.oauth import agents, redirects
from accounts.oauth.adapter import is_for_mcp

# What is not among them is as if it were not there: OpenID's prompt=none lets in unasked.
_PARAMETERS = {
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "resource",
}
# By grant: what a client shows for its tokens, and in which field.
_SHOWN = {
    "authorization_code": (AgentSecret.Kind.CODE, "code"),
    "refresh_token": (AgentSecret.Kind.REFRESH, "refresh_token"),
}
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


class InvalidTarget(OAuth2Error):  # type: ignore[misc]
    """RFC 8707."""

    error = "invalid_target"
    description = "The parameter resource must be given once, with the address of /mcp."


# Of allauth's view this leaves out csrf_exempt: it is for other sites' forms.
@method_decorator([never_cache, login_required], name="dispatch")
class Authorize(AuthorizationView):  # type: ignore[misc]
    """Ask the person, each time, and for how much."""

    template_name = "accounts/consent.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        _read_alone(request, _PARAMETERS)
        try:
            _check(request)
        except FatalClientError as exc:
            return _refused(request, exc)
        except OAuth2Error as exc:
            return self._failed(request, exc, exc.in_uri(exc.redirect_uri))
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        if not response.has_header("Location"):
            return response
        uri = response["Location"]
        # The page was not shown, so the user has not agreed to go anywhere.
        if request.method == "POST":
            return _to_client(uri)
        return self._failed(request, _error_in(uri), uri)

    def _failed(self, request: HttpRequest, error: OAuth2Error, uri: str) -> HttpResponse:
        """Tell the client, if the person has let it in, and else the person.

        Any client can register an address, and would send people there unasked (RFC 9700, 4.11.2).
        """
        client_id = request.GET.get("client_id")
        known = ConnectedAgent.objects.for_user(request.user).usable().filter(client_id=client_id)
        return _to_client(uri) if known.exists() else _refused(request, error)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.POST.get("request"):
            raise PermissionDenied  # it is not from the page; allauth would ask at an own address
        return super().post(request)  # type: ignore[no-any-return]

    def form_valid(self, form: AuthorizationForm) -> HttpResponse:
        if not self._permissions_form.is_valid():
            return self.form_invalid(form)
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
            if code := _code(response):
                client_id = self._request_info["client_id"]
                agent = agents.let_in(user=self.request.user, client_id=client_id, code=code)
                agent_permissions.issue(
                    user=agent.user, key=agent.key, **self._permissions_form.permissions()
                )
                transaction.on_commit(lambda: _tell(agent), robust=True)
        return response

    def form_invalid(self, form: AuthorizationForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {
            "asked": context["form"],
            "form": self._permissions_form,
            "redirect": redirects.parse(self._request_info["redirect_uri"]),
            "days": agents.REFRESH_LIFETIME.days,
        }

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        response: Any = super().render_to_response(context, **kwargs)
        # Chromium holds the redirect that follows the form's POST to the policy of the form's page.
        response._csp_update = {"form-action": [context["redirect"].csp_source]}
        return response  # type: ignore[no-any-return]

    @cached_property
    def _permissions_form(self) -> PermissionsForm:
        client_id = self._request_info["client_id"]
        current = agents.permissions_of(user=self.request.user, client_id=client_id)
        return PermissionsForm(self.request.POST or None, current)


def _read_alone(request: HttpRequest, names: set[str]) -> None:
    query = request.GET.copy()
    for name in set(query) - names:
        del query[name]
    request.GET = query  # type: ignore[assignment]
    request.META["QUERY_STRING"] = query.urlencode()


def _check(request: HttpRequest) -> None:
    """Check what OAuth 2.1 and MCP require, and oauthlib or allauth let be.

    Raises FatalClientError for what the client can't be told, and else another OAuth2Error.
    """
    asked = Request(request.get_full_path())
    client = agents.client(asked.client_id)
    if client is None:
        raise InvalidClientIdError(request=asked)
    if asked.redirect_uri is None:
        raise MissingRedirectURIError(request=asked)
    if not redirects.matches(asked.redirect_uri, client.get_redirect_uris()):
        raise MismatchingRedirectURIError(request=asked)
    if set(asked.duplicate_params) - {"resource"}:
        raise InvalidRequestFatalError("A parameter is given twice.", request=asked)
    if not is_for_mcp(request.GET.getlist("resource")):
        raise InvalidTarget(request=asked)
    if asked.scope and Scope.MCP not in asked.scope.split():
        raise InvalidScopeError(request=asked)
    challenge = _CHALLENGE.fullmatch(asked.code_challenge or "")
    if challenge is None or asked.code_challenge_method != "S256":
        raise InvalidRequestError("PKCE supports only the method S256.", request=asked)
    agents.expect_at(client, asked.redirect_uri)


def _refused(request: HttpRequest, error: OAuth2Error) -> HttpResponse:
    return render(request, "idp/oidc/error.html", {"error": error}, status=400)


def _error_in(uri: str) -> OAuth2Error:
    """Return the error that a redirect would have told the client."""
    query = dict(parse_qsl(urlsplit(uri).query))
    error = OAuth2Error(description=query.get("error_description", ""))
    error.error = query.get("error", "invalid_request")
    return error


def _to_client(uri: str) -> HttpResponse:
    """Redirect to the client with iss, which names the server that answers (RFC 9207)."""
    told = add_params_to_uri(uri, [("iss", settings.MANTA_URL)])
    return HttpResponse(status=302, headers={"Location": told})


def _code(response: HttpResponse) -> str | None:
    query = parse_qs(urlsplit(response.headers.get("Location", "")).query)
    return query["code"][0] if "code" in query else None


@method_decorator(never_cache, name="dispatch")
class Token(TokenView):  # type: ignore[misc]
    """Tokens for a code or a refresh token. What was shown is spent, also when it is refused."""

    @transaction.atomic
    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            shown, spent = _spend(request)
        except OAuth2Error as exc:
            return JsonResponse(dict(exc.twotuples), status=exc.status_code)
        if spent.answer:
            return HttpResponse(spent.answer, content_type="application/json")
        response: HttpResponse = super().post(request)
        if response.status_code == 200:
            agents.keep(spent.agent, shown=shown, answer=response.text)
        return response


def _spend(request: HttpRequest) -> tuple[str, agents.Spent]:
    """Use up the code or refresh token that was shown; return it, and whose it is."""
    if request.GET:
        raise InvalidRequestError("Send the parameters as a form: addresses are written to logs.")
    client = agents.client(request.POST.get("client_id"))
    if client is None:
        raise InvalidClientError
    grant = request.POST.get("grant_type", "")
    if grant not in _SHOWN:
        raise UnsupportedGrantTypeError
    kind, name = _SHOWN[grant]
    asks_well = is_for_mcp(request.POST.getlist("resource"))
    # A code has one try. A refresh token is what a client has for a month.
    if kind == AgentSecret.Kind.REFRESH and not asks_well:
        raise InvalidTarget
    shown = request.POST.get(name, "")
    spent = agents.spend(kind, shown, client)
    if spent is None:
        raise InvalidGrantError
    if not asks_well:
        raise InvalidTarget
    return shown, spent


@csrf_exempt
@require_POST
@never_cache
def revoke(request: HttpRequest) -> HttpResponse:
    """RFC 7009, of a client's own: either of its tokens ends both, as it is how it signs out."""
    client = agents.client(request.POST.get("client_id"))
    if client is None:
        error = InvalidClientError()
        return JsonResponse(dict(error.twotuples), status=error.status_code)
    if agent := agents.find(request.POST.get("token", ""), client):
        agents.revoke(agent)
    return HttpResponse()


def _tell(agent: ConnectedAgent) -> None:
    """Tell the user by e-mail, in case the connection was made without them."""
    context = {"agent": agent, "url": settings.MANTA_URL + reverse("accounts:agents")}
    get_adapter().send_mail("accounts/email/agent_connected", agent.user.email, context)
