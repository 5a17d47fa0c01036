"""/api/sandbox/init: find the user's sandbox, or have it made. Its shapes are a contract."""

import threading
import time
from typing import ClassVar, cast

from django.conf import settings
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Scope, User
from manta.core.api_input import expect_no_fields
from sandboxes import errors, services
from sandboxes.models import Phase, Sandbox
from sandboxes.presenters.serializers import (
    ErrorResponse,
    InitResponse,
    StatusResponse,
    in_brief,
)

# Seconds that POST may wait for the sandbox, and between its looks at the row.
_WAIT = 3.0
_LOOK_EVERY = 0.05
# Never more than half of the threads: the rest serve other requests.
_waiting_places = threading.BoundedSemaphore(settings.WEB_THREADS // 2)


class SandboxInit(APIView):
    scopes: ClassVar = {"GET": Scope.SANDBOX_READ, "POST": Scope.SANDBOX_WRITE}

    @extend_schema(
        operation_id="sandbox_status",
        summary="Get the state of your sandbox, as last checked",
        responses={200: StatusResponse, 401: ErrorResponse, 403: ErrorResponse},
    )
    def get(self, request: Request) -> Response:
        sandbox = Sandbox.objects.get_for_user(request.user)
        if sandbox is None:
            return Response({"sandbox": None, "message": "No sandbox found for user"})
        services.row_updates.keep_fresh(sandbox)
        return Response({"sandbox": in_brief(sandbox)})

    @extend_schema(
        operation_id="sandbox_init",
        summary="Get your sandbox, and create it if there is none",
        description="Idempotent. Waits up to 3 s for the sandbox to be ready.",
        request=None,
        responses={
            200: InitResponse,
            202: OpenApiResponse(InitResponse, "Still being created: see Retry-After."),
            400: ErrorResponse,
            401: ErrorResponse,
            403: ErrorResponse,
            409: ErrorResponse,
            429: OpenApiResponse(
                ErrorResponse, "A quota is reached: Retry-After says when there may be room again."
            ),
            502: ErrorResponse,
            503: ErrorResponse,
        },
    )
    def post(self, request: Request) -> Response:
        expect_no_fields(request)
        sandbox = services.provisioning.initialize_sandbox(user=cast(User, request.user))
        _wait_until_settled(sandbox)
        if sandbox.phase == Phase.FAILED:
            raise errors.NotMade(sandbox.error_message, code=sandbox.error_code)
        body = {"success": True, "sandbox": in_brief(sandbox)}
        if sandbox.is_settling:
            return Response(body, status=202, headers={"Retry-After": "2"})
        return Response(body)


def _wait_until_settled(sandbox: Sandbox) -> None:
    if not sandbox.is_settling or not _waiting_places.acquire(blocking=False):
        return
    try:
        deadline = time.monotonic() + _WAIT
        while sandbox.is_settling and time.monotonic() < deadline:
            time.sleep(_LOOK_EVERY)
            sandbox.refresh_from_db()
    finally:
        _waiting_places.release()
