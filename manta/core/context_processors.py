"""Template variables that every page has."""

from django.http import HttpRequest

from manta.core.request_context import current_request_id


def request_id(request: HttpRequest) -> dict[str, str]:
    return {"request_id": current_request_id()}
