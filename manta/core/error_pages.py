"""Pages about errors: what each code means, and the one for a bug."""

from csp.decorators import csp_replace
from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.csrf import csrf_failure as django_csrf_failure
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET
from django.views.defaults import page_not_found

from manta.core.error_codes.catalog import GROUPS
from manta.core.request_context import current_request_id


@require_GET
def error_codes(request: HttpRequest) -> HttpResponse:
    """Show the list of error codes, also without sign-in: people who can't sign in need it, too."""
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
    """Return whether a token was sent that belongs to another session, judged by Django's text."""
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
    if _is_for_program(request):
        return _told("The request can't be read.", code, 400)
    context = {"code": code, "request_id": current_request_id()}
    return HttpResponse(render_to_string("400.html", context), status=400)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_for_program(request):
        text = f"There is no {request.path}. {reverse('api-docs')} lists the addresses."
        return _told(text, "not_found", 404)
    try:
        return page_not_found(request, exception)
    except (MultiPartParserError, SuspiciousOperation, UnreadablePostError) as exc:
        # The page asks for the form's token, and nothing else has tried to read the form.
        return bad_request(request, exc)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer without context processors, as these may have failed."""
    if _is_for_program(request):
        text = f"Internal error, recorded as {current_request_id()}."
        return _told(text, "internal", 500)
    text = render_to_string("500.html", {"request_id": current_request_id()})
    return HttpResponse(text, status=500)


def _is_for_program(request: HttpRequest) -> bool:
    return f"{request.path}/".startswith("/api/")


def _told(error: str, code: str, status: int) -> HttpResponse:
    """Answer in the form of manta.core.api, without the request's host, which may be invalid."""
    page = f"{settings.MANTA_URL}{reverse('error-codes')}#{code}"
    return JsonResponse({"error": error, "code": code, "help": page}, status=status)
