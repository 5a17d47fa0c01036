"""Pages about errors: what each code means, and the one for a bug."""

from csp.decorators import csp_replace
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.csrf import csrf_failure as django_csrf_failure
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

from manta.error_codes import GROUPS
from manta.request_id import current_request_id


@require_GET
def error_codes(request: HttpRequest) -> HttpResponse:
    """Public: who can't sign in needs it, too."""
    return render(request, "error_codes.html", {"groups": GROUPS})


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """A second tab's sign-in form is too old once the first has signed in: it has its wish."""
    entrances = {reverse("account_login"), reverse("account_signup")}
    if request.user.is_authenticated and request.path in entrances:
        return redirect(settings.LOGIN_REDIRECT_URL)
    if request.user.is_authenticated and is_of_an_older_session(reason):
        return _outdated(request)
    return django_csrf_failure(request, reason)


def is_of_an_older_session(reason: str) -> bool:
    """Whether a proof was sent, and is another than this session's: Django says so in words."""
    return "CSRF token from" in reason


@xframe_options_sameorigin
@csp_replace({"frame-ancestors": ["'self'"]})
def _outdated(request: HttpRequest) -> HttpResponse:
    """The page was loaded before its person signed in again, in another tab."""
    if request.htmx:  # type: ignore[attr-defined]
        response = HttpResponse(status=403)
        response["HX-Retarget"], response["HX-Reswap"] = "#notices", "none"
        response["HX-Trigger"] = "page:outdated"
        return response
    page = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(page, request.get_host(), request.is_secure()):
        page = reverse("home")
    return render(request, "403_outdated.html", {"page": page}, status=403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    code = "too_large" if isinstance(exception, RequestDataTooBig) else "invalid"
    context = {"code": code, "request_id": current_request_id()}
    return HttpResponse(render_to_string("400.html", context), status=400)


def server_error(request: HttpRequest) -> HttpResponse:
    """Without context processors: they may be what is broken."""
    text = render_to_string("500.html", {"request_id": current_request_id()})
    return HttpResponse(text, status=500)
