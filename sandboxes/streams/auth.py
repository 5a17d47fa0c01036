"""Authentication of every route beside Django that reaches into a sandbox.

It asks what Django's middleware and DRF ask: a session or a token, a token's scope, that a page of
Manta's own sent what a session changes, and a sandbox that is there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from django.db import Error as DatabaseError
from django.http.request import split_domain_port, validate_host
from django.urls import reverse
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response

from accounts import tokens
from accounts.models import Scope, User
from accounts.permissions import InsufficientScope
from accounts.sessions import SignIn
from manta.core.api_input import no_such_field
from manta.core.database import run_in_db_thread
from manta.core.errors import UserFacingError
from sandboxes import errors, services
from sandboxes.models import Sandbox
from sandboxes.streams.provider_calls import ensure_session
from sandboxes.streams.revocation import Credential

Answer = TypeVar("Answer")

_SAFE = {"GET", "HEAD", "OPTIONS"}


class AccessDenied(Exception):
    """Raised when access is denied; carries the response."""

    def __init__(self, response: Response) -> None:
        self.response = response


@dataclass(frozen=True)
class Principal:
    """An authenticated caller with their sandbox, which is ready to be used."""

    user: User
    sandbox: Sandbox
    sign_in: SignIn | None
    grant: tokens.Grant | None

    @property
    def credential(self) -> Credential:
        return Credential(self.sign_in, self.grant)

    async def does(self, work: Callable[[], Answer]) -> Answer:
        """Have something done with the database in their name, and recorded as theirs."""

        def acting() -> Answer:
            with tokens.acting_with(self.grant):
                return work()

        return await run_in_db_thread(acting)


async def authenticate(connection: HTTPConnection, scope: Scope) -> Principal:
    """Let in whom a session or a token with this scope stands for. Raises AccessDenied."""
    try:
        principal = await run_in_db_thread(lambda: authenticated(connection, scope))
        await ensure_session(principal.sandbox)
        return principal
    except UserFacingError as exc:
        raise AccessDenied(refusal(exc)) from exc
    except DatabaseError as exc:
        raise AccessDenied(database_away()) from exc


def authenticated(connection: HTTPConnection, scope: Scope) -> Principal:
    """Authenticate on the calling thread. Raises AccessDenied, UserFacingError, DatabaseError."""
    authorization = connection.headers.get("Authorization", "")
    sign_in = grant = None
    if authorization:
        grant = _grant(authorization, scope)
        user = grant.user
    else:
        sign_in, user = _signed_in(connection)
    sandbox = Sandbox.objects.get_for_user(user)
    if sandbox is None:
        raise errors.NoSandbox("You have no sandbox yet. Create one in the panel.")
    services.row_updates.require_ready(sandbox)
    services.row_updates.touch(sandbox)
    return Principal(user, sandbox, sign_in, grant)


def _grant(authorization: str, scope: Scope) -> tokens.Grant:
    """Return the grant of a bearer token; cookies do not count beside one."""
    raw = tokens.bearer(authorization)
    grant = tokens.verify(raw) if raw else None
    if grant is None:
        raise AccessDenied(_unauthorized('Bearer realm="Manta", error="invalid_token"'))
    if scope not in grant.scopes:
        missing = InsufficientScope(scope)
        body = _body(str(missing.detail), missing.default_code)
        raise AccessDenied(JSONResponse(body, 403, {"WWW-Authenticate": missing.auth_header}))
    return grant


def _signed_in(connection: HTTPConnection) -> tuple[SignIn, User]:
    session_key = connection.cookies.get(settings.SESSION_COOKIE_NAME)
    found = SignIn.of(session_key) if session_key else None
    if found is None:
        raise AccessDenied(_unauthorized('Bearer realm="Manta"'))
    changes = connection.scope["type"] == "websocket" or connection.scope["method"] not in _SAFE
    if changes and not _is_from_here(connection):
        error = "This request must come from a page of Manta. Reload the page and try again."
        raise AccessDenied(JSONResponse(_body(error, "permission_denied"), 403))
    return found


def _is_from_here(connection: HTTPConnection) -> bool:
    """Return whether a page of Manta sent it: browsers' headers stand in for a CSRF token."""
    host = connection.headers.get("Host", "")
    if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        return False
    origin = urlsplit(connection.headers.get("Origin", ""))
    schemes = {"https"} if settings.SESSION_COOKIE_SECURE else {"http", "https"}
    return origin.scheme in schemes and origin.netloc == host


def expect_method(connection: HTTPConnection, *methods: str) -> None:
    """Raises AccessDenied for any other."""
    if connection.scope["method"] not in methods:
        body = _body("Method not allowed", "method_not_allowed")
        raise AccessDenied(JSONResponse(body, 405, {"Allow": ", ".join(methods)}))


def expect_parameters(connection: HTTPConnection, *names: str) -> None:
    """Raises AccessDenied for a query with any other, as the REST API refuses one."""
    for name in connection.query_params:
        if name not in names:
            body = _body(f"{name}: {no_such_field(names)}", "invalid")
            raise AccessDenied(JSONResponse(body, 400))


def refusal(exc: UserFacingError) -> Response:
    """Return the response of manta.core.api for the error."""
    headers = {"Retry-After": str(exc.retry_after)} if exc.retry_after else None
    return JSONResponse(_body(str(exc), exc.code), exc.status, headers)


def too_many(what: str, seconds: int) -> Response:
    """Answer that there is no room for one more of what was asked for, and when to try again."""
    body = _body(f"There are too many {what}. Close one, or try again later.", "busy")
    return JSONResponse(body, 503, {"Retry-After": str(seconds), "Cache-Control": "no-store"})


def database_away() -> Response:
    body = _body("The database is not answering. Try again in a few seconds.", "database_away")
    return JSONResponse(body, 503, {"Retry-After": "5", "Cache-Control": "no-store"})


def _body(error: str, code: str) -> dict[str, str]:
    page = f"{settings.MANTA_URL}{reverse('error-codes')}"
    return {"error": error, "code": code, "help": f"{page}#{code}"}


def _unauthorized(challenge: str) -> Response:
    return JSONResponse({"error": "Unauthorized"}, 401, {"WWW-Authenticate": challenge})
