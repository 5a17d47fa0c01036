"""/api/sandbox/ports and /api/sandbox/previews: what listens, and who may open it."""

from datetime import timedelta
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Scope
from manta.core.api_input import Serializer, expect_no_fields, valid
from sandboxes import services
from sandboxes.api.own import own
from sandboxes.api.responses import REFUSED
from sandboxes.models import PublicPort
from sandboxes.presenters.serializers import stamp
from sandboxes.services.ports import Port

_DAY = 24 * 3600


class PublicSerializer(serializers.Serializer[Any]):
    url = serializers.CharField()
    until = serializers.DateTimeField(allow_null=True, help_text="Null: until it is made private.")


class PortSerializer(serializers.Serializer[Any]):
    port = serializers.IntegerField()
    process = serializers.CharField(allow_null=True)
    pid = serializers.IntegerField(allow_null=True)
    address = serializers.CharField(allow_null=True)
    reason = serializers.CharField(
        allow_null=True,
        help_text="The reason why it does not respond: nothing_listens, loopback_only or asleep.",
    )
    advice = serializers.CharField(help_text="What to do about it.")
    public = PublicSerializer(allow_null=True)


class PortsResponse(serializers.Serializer[Any]):
    ports = PortSerializer(many=True)


class PortsQuery(Serializer):
    wake = serializers.BooleanField(default=True)


class PublicRequest(Serializer):
    expiresIn = serializers.IntegerField(
        min_value=60,
        max_value=7 * _DAY,
        allow_null=True,
        help_text="Seconds; null: without an end.",
    )


class PublicResponse(serializers.Serializer[Any]):
    port = serializers.IntegerField()
    public = PublicSerializer(allow_null=True)


class PreviewSerializer(serializers.Serializer[Any]):
    port = serializers.IntegerField()
    url = serializers.CharField(help_text="A private one requires a token.")
    public = serializers.BooleanField()
    expiresAt = serializers.DateTimeField(allow_null=True)


class PreviewsResponse(serializers.Serializer[Any]):
    previews = PreviewSerializer(many=True)


class SandboxPorts(APIView):
    queries: ClassVar = {"GET"}
    scopes: ClassVar = {"GET": Scope.PORTS}

    @extend_schema(
        operation_id="sandbox_ports",
        summary="List the ports of your sandbox, and who may open them",
        description="Wakes the sandbox, unless asked with wake=false.",
        parameters=[PortsQuery],
        responses={200: PortsResponse, **REFUSED},
    )
    def get(self, request: Request) -> Response:
        wake = valid(PortsQuery, request.query_params)["wake"]
        found = services.ports.list_ports(sandbox=own(request), wake=wake)
        return Response({"ports": [_port(port) for port in found]})


class SandboxPortPublic(APIView):
    scopes: ClassVar = {"PUT": Scope.PORTS, "DELETE": Scope.PORTS}

    @extend_schema(
        operation_id="sandbox_port_publish",
        summary="Make the port public: anyone with its address can open it",
        description="expiresIn is required; null means until it is made private.",
        request=PublicRequest,
        responses={200: PublicResponse, **REFUSED},
    )
    def put(self, request: Request, port: int) -> Response:
        seconds = valid(PublicRequest, request.data)["expiresIn"]
        row = services.ports.make_public(
            sandbox=own(request),
            port=port,
            lasts=None if seconds is None else timedelta(seconds=seconds),
            actor=request.user,
        )
        return Response({"port": port, "public": _public(row)})

    @extend_schema(
        operation_id="sandbox_port_unpublish",
        summary="Make the port private",
        request=None,
        responses={200: PublicResponse, **REFUSED},
    )
    def delete(self, request: Request, port: int) -> Response:
        expect_no_fields(request)
        services.ports.make_private(sandbox=own(request), port=port, actor=request.user)
        return Response({"port": port, "public": None})


class SandboxPreviews(APIView):
    scopes: ClassVar = {"GET": Scope.PORTS}

    @extend_schema(
        operation_id="sandbox_previews",
        summary="List the previews of your sandbox's ports at the provider",
        description="Does not wake the sandbox.",
        responses={200: PreviewsResponse, **REFUSED},
    )
    def get(self, request: Request) -> Response:
        previews = services.ports.list_previews(sandbox=own(request))
        return Response(
            {
                "previews": [
                    {
                        "port": preview.port,
                        "url": preview.url,
                        "public": preview.public,
                        "expiresAt": stamp(preview.expires_at) if preview.expires_at else None,
                    }
                    for preview in previews
                ]
            }
        )


def _port(port: Port) -> dict[str, Any]:
    found = port.listening
    return {
        "port": port.number,
        "process": (found.process or None) if found else None,
        "pid": found.pid if found else None,
        "address": found.address if found else None,
        "reason": port.reason,
        "advice": port.advice,
        "public": _public(port.public) if port.public else None,
    }


def _public(row: PublicPort) -> dict[str, Any]:
    return {"url": row.url, "until": stamp(row.until) if row.until else None}
