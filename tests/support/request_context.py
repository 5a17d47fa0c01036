"""What RequestContextMiddleware does, for Django's test client, around which no ASGI server is."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from manta.core.request_context import HEADER, bound_to_request, current_request_id


class RequestContextOfTheTestClient:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with bound_to_request(request.headers, request.META.get("REMOTE_ADDR", "")):
            response = self.get_response(request)
            response[HEADER] = current_request_id()
            return response
