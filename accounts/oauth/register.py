"""Dynamic client registration (RFC 7591), open to any client, with few fields accepted."""

from typing import Any

from allauth.core import ratelimit
from allauth.idp.oidc.models import Client
from allauth.idp.oidc.views import ClientRegistrationView
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

_MAX_NAME_LENGTH: int = Client._meta.get_field("name").max_length


@method_decorator(never_cache, name="dispatch")
class Register(ClientRegistrationView):  # type: ignore[misc]
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # Before allauth's own limit, which comes after it has hashed a secret, as slowly as a
        # password.
        if not ratelimit.consume(request, action="agent_registration"):
            answer = {
                "error": "temporarily_unavailable",
                "error_description": "Too many registrations. Try again in a minute.",
            }
            return JsonResponse(answer, status=429, headers={"Retry-After": "60"})
        return super().post(request)  # type: ignore[no-any-return]

    def _get_client_metadata(self) -> dict[str, Any] | None:
        """Return the metadata that a client may choose; the adapter sets the rest."""
        try:
            said = super()._get_client_metadata()
        except RecursionError:
            return None
        return said and {
            "client_name": _seen(said.get("client_name") or ""),
            "redirect_uris": said.get("redirect_uris"),
            "token_endpoint_auth_method": Client.AuthenticationMethod.NONE,
        }


def _seen(name: Any) -> Any:
    """A name without what can't be seen, or is refused for looking like markup."""
    if not isinstance(name, str):
        return name
    seen = "".join(each for each in name if each.isprintable() and each not in "<>")
    return seen.strip()[:_MAX_NAME_LENGTH]
