"""How a program says who it is."""

from drf_spectacular.authentication import SessionScheme as DRFSessionScheme
from rest_framework.authentication import SessionAuthentication as DRFSessionAuthentication
from rest_framework.request import Request


class SessionAuthentication(DRFSessionAuthentication):
    """Django's session. Naming a scheme makes DRF answer 401, and not 403, to a stranger."""

    def authenticate_header(self, request: Request) -> str:
        return "Session"


class SessionScheme(DRFSessionScheme):  # type: ignore[no-untyped-call]
    """How the API's description names it."""

    target_class = SessionAuthentication  # type: ignore[assignment]
