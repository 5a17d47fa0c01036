"""Pages about errors: what each code means, and the one for a bug."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET

from manta.error_codes import GROUPS
from manta.request_id import current_request_id


@require_GET
def error_codes(request: HttpRequest) -> HttpResponse:
    """Public: who can't sign in needs it, too."""
    return render(request, "error_codes.html", {"groups": GROUPS})


def server_error(request: HttpRequest) -> HttpResponse:
    """Without context processors: they may be what is broken."""
    text = render_to_string("500.html", {"request_id": current_request_id()})
    return HttpResponse(text, status=500)
