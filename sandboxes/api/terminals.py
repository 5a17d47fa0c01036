"""/api/sandbox/terminals: which there are. What one shows comes over /ws/terminal."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Scope
from manta.core.api_input import Serializer, expect_no_fields, valid
from sandboxes import services
from sandboxes.api.own import own
from sandboxes.models import Terminal
from sandboxes.presenters.serializers import ErrorResponse

_REFUSED = dict.fromkeys((400, 401, 403, 404), ErrorResponse)
_CONNECT = (
    "Connect to one with the WebSocket /ws/terminal?session=KEY&cols=80&rows=24. It sends "
    '{"type": "output", "data": "…"}, and accepts {"type": "input", "data": "ls\\r"} and '
    '{"type": "resize", "cols": 120, "rows": 40}.'
)


class TerminalSerializer(Serializer, serializers.ModelSerializer[Terminal]):
    createdAt = serializers.DateTimeField(source="created_at", read_only=True)

    class Meta:
        model = Terminal
        fields: ClassVar = ["key", "name", "createdAt"]
        extra_kwargs: ClassVar = {"name": {"required": False}}


class CloseQuery(Serializer):
    force = serializers.BooleanField(
        default=False, help_text="Also stop the program in its foreground."
    )


class TerminalsResponse(serializers.Serializer[Any]):
    terminals = TerminalSerializer(many=True)


class Terminals(APIView):
    scopes: ClassVar = {"GET": Scope.TERMINAL, "POST": Scope.TERMINAL}

    @extend_schema(
        operation_id="terminals",
        summary="Your terminals",
        description=_CONNECT,
        responses={200: TerminalsResponse, **_REFUSED},
    )
    def get(self, request: Request) -> Response:
        found = Terminal.objects.for_sandbox(own(request))
        return Response({"terminals": TerminalSerializer(found, many=True).data})

    @extend_schema(
        operation_id="terminal_add",
        summary="Open a terminal",
        request=TerminalSerializer,
        responses={201: TerminalSerializer, 429: ErrorResponse, **_REFUSED},
    )
    def post(self, request: Request) -> Response:
        sandbox = own(request)
        added = services.terminals.add_terminal(sandbox=sandbox, name=_name_in(request))
        return Response(TerminalSerializer(added).data, status=201)


class TerminalDetail(APIView):
    queries: ClassVar = {"DELETE"}
    scopes: ClassVar = {"PATCH": Scope.TERMINAL, "DELETE": Scope.TERMINAL}

    @extend_schema(
        operation_id="terminal_rename",
        summary="Rename a terminal",
        request=TerminalSerializer,
        responses={200: TerminalSerializer, **_REFUSED},
    )
    def patch(self, request: Request, key: str) -> Response:
        sandbox, name = own(request), _name_in(request)
        terminal = services.terminals.find_terminal(sandbox=sandbox, key=key)
        if name:
            terminal.name = name
            terminal.save(update_fields=["name"])
        return Response(TerminalSerializer(terminal).data)

    @extend_schema(
        operation_id="terminal_close",
        summary="Close a terminal and stop its shell",
        description="409 with the code terminal_in_use while a program runs in it.",
        parameters=[CloseQuery],
        responses={204: OpenApiResponse(None), 409: ErrorResponse, 503: ErrorResponse, **_REFUSED},
    )
    def delete(self, request: Request, key: str) -> Response:
        sandbox = own(request)
        expect_no_fields(request)
        force = valid(CloseQuery, request.query_params)["force"]
        services.terminals.close_terminal(sandbox=sandbox, key=key, force=force)
        return Response(status=204)


def _name_in(request: Request) -> str:
    name: str = valid(TerminalSerializer, request.data).get("name", "")
    return name
