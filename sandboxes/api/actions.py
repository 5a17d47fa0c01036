"""/api/sandbox: the user's sandbox and its actions. The worker does them, hence 202."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Scope
from manta.core.api_input import has_fields, valid
from sandboxes import services
from sandboxes.api.own import own
from sandboxes.models import Sandbox
from sandboxes.presenters.serializers import (
    ConfirmRequest,
    DetailResponse,
    ErrorResponse,
    in_detail,
)

_UNDER_WAY = OpenApiResponse(DetailResponse, "Started. Read the sandbox to see when it is done.")
_REFUSED = {
    400: ErrorResponse,
    401: ErrorResponse,
    403: ErrorResponse,
    404: ErrorResponse,
    409: ErrorResponse,
    410: ErrorResponse,
}


class SandboxDetail(APIView):
    scopes: ClassVar = {"GET": Scope.SANDBOX_READ, "DELETE": Scope.SANDBOX_WRITE}

    @extend_schema(
        operation_id="sandbox_detail",
        summary="Get the full state of your sandbox, as last checked",
        responses={200: DetailResponse, 401: ErrorResponse, 403: ErrorResponse, 404: ErrorResponse},
    )
    def get(self, request: Request) -> Response:
        sandbox = own(request)
        services.row_updates.keep_fresh(sandbox)
        return Response({"sandbox": in_detail(sandbox)})

    @extend_schema(
        operation_id="sandbox_delete",
        summary="Delete your sandbox and its files",
        # OpenAPI 3.0 has no place for the body of a DELETE.
        description='The body is `{"confirm": "the sandbox\'s id"}`, as JSON. '
        "Also cancels one that is being created.",
        responses={202: _UNDER_WAY, **_REFUSED},
    )
    def delete(self, request: Request) -> Response:
        sandbox = _confirmed(request)
        services.deletion.delete_sandbox(sandbox=sandbox, actor=request.user)
        return _under_way(sandbox)


class SandboxReset(APIView):
    scopes: ClassVar = {"POST": Scope.SANDBOX_WRITE}

    @extend_schema(
        operation_id="sandbox_reset",
        summary="Delete everything in your sandbox and create it again from the starter",
        request=ConfirmRequest,
        responses={202: _UNDER_WAY, 429: ErrorResponse, **_REFUSED},
    )
    def post(self, request: Request) -> Response:
        sandbox = _confirmed(request)
        services.deletion.reset_sandbox(sandbox=sandbox, actor=request.user)
        return _under_way(sandbox)


class SandboxRestart(APIView):
    scopes: ClassVar = {"POST": Scope.SANDBOX_WRITE}

    @extend_schema(
        operation_id="sandbox_restart",
        summary="Restart your sandbox: stop every process, keep the files",
        description="The starter's server starts again, and /tmp is emptied. A `confirm` as for "
        "a reset is optional.",
        request=None,
        responses={202: _UNDER_WAY, **_REFUSED},
    )
    def post(self, request: Request) -> Response:
        sandbox = _confirmed(request, required=False)
        services.restarts.restart_sandbox(sandbox=sandbox, actor=request.user)
        return _under_way(sandbox)


class SandboxExtend(APIView):
    scopes: ClassVar = {"POST": Scope.SANDBOX_WRITE}

    @extend_schema(
        operation_id="sandbox_extend",
        summary="Extend your sandbox to its full lifetime from now",
        description="expiresAt follows once the provider has confirmed it; it may allow less. A "
        "`confirm` as for a reset is optional.",
        request=None,
        responses={202: _UNDER_WAY, **_REFUSED},
    )
    def post(self, request: Request) -> Response:
        sandbox = _confirmed(request, required=False)
        services.expiry.extend_sandbox(sandbox=sandbox, actor=request.user)
        return _under_way(sandbox)


def _confirmed(request: Request, *, required: bool = True) -> Sandbox:
    """Return the user's sandbox, if the request confirms its id or may leave it out and does."""
    sandbox = own(request)
    if not required and not has_fields(request):
        return sandbox
    if valid(ConfirmRequest, request.data)["confirm"] != sandbox.name:
        raise serializers.ValidationError({"confirm": "This is not the id of your sandbox."})
    return sandbox


def _under_way(sandbox: Sandbox) -> Response:
    body: dict[str, Any] = {"sandbox": in_detail(sandbox)}
    return Response(body, status=202, headers={"Retry-After": "1"})
