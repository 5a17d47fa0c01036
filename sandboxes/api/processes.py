"""/api/sandbox/processes: processes of the user's sandbox. Every request wakes the sandbox."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Scope
from manta.core.api_input import Serializer, expect_no_fields
from sandboxes import errors, services
from sandboxes.api.own import own
from sandboxes.api.responses import REFUSED
from sandboxes.models import Sandbox
from sandboxes.presenters.serializers import ErrorResponse
from sandboxes.services.processes import Wanted


class ProcessSerializer(serializers.Serializer[Any]):
    """A process, running or ended. One that a terminal started is named by its number."""

    name = serializers.CharField()
    pid = serializers.IntegerField()
    command = serializers.CharField()
    status = serializers.CharField()
    exitCode = serializers.IntegerField(allow_null=True)
    startedAt = serializers.DateTimeField(allow_null=True)
    endedAt = serializers.DateTimeField(allow_null=True)
    workingDir = serializers.CharField(allow_null=True)
    keepAlive = serializers.BooleanField()
    restartOnFailure = serializers.BooleanField()
    restarts = serializers.IntegerField()
    managed = serializers.BooleanField()
    cpu = serializers.IntegerField(allow_null=True, help_text="Percent of one core.")
    memory = serializers.IntegerField(allow_null=True, help_text="Bytes.")
    ports = serializers.ListField(child=serializers.IntegerField())


class ProcessList(serializers.Serializer[Any]):
    processes = ProcessSerializer(many=True)


class ProcessRequest(Serializer):
    command = serializers.CharField(max_length=10_000)
    name = serializers.CharField(required=False, allow_blank=True, max_length=64, default="")
    workingDir = serializers.CharField(
        required=False, allow_blank=True, max_length=4096, default=""
    )
    env = serializers.DictField(child=serializers.CharField(allow_blank=True), required=False)
    keepAlive = serializers.BooleanField(required=False, default=False)
    restartOnFailure = serializers.BooleanField(required=False, default=False)

    def wanted(self) -> Wanted:
        data = self.validated_data
        return Wanted(
            command=data["command"],
            name=data["name"],
            working_dir=data["workingDir"],
            env=data.get("env", {}),
            keep_alive=data["keepAlive"],
            restart_on_failure=data["restartOnFailure"],
        )


class Processes(APIView):
    scopes: ClassVar = {"GET": Scope.PROCESSES, "POST": Scope.PROCESSES}

    @extend_schema(
        operation_id="processes",
        summary="List the processes of your sandbox",
        responses={200: ProcessList, **REFUSED},
    )
    def get(self, request: Request) -> Response:
        return _listed(own(request))

    @extend_schema(
        operation_id="process_start",
        summary="Start a process",
        request=ProcessRequest,
        responses={201: ProcessList, 422: ErrorResponse, **REFUSED},
    )
    def post(self, request: Request) -> Response:
        sandbox = own(request)
        form = ProcessRequest(data=request.data)
        form.is_valid(raise_exception=True)
        services.processes.start_process(sandbox=sandbox, wanted=form.wanted(), actor=request.user)
        return _listed(sandbox, 201)


class ProcessDetail(APIView):
    scopes: ClassVar = {"GET": Scope.PROCESSES, "DELETE": Scope.PROCESSES}

    @extend_schema(
        operation_id="process",
        summary="One process",
        responses={200: ProcessSerializer, **REFUSED},
    )
    def get(self, request: Request, name: str) -> Response:
        found = services.processes.list_processes(sandbox=own(request)).find(name)
        if found is None:
            raise errors.ProcessNotFound(f"Process not found: {name}.")
        return Response(found)

    @extend_schema(
        operation_id="process_stop",
        summary="Stop a process (SIGTERM)",
        responses={200: ProcessList, **REFUSED},
    )
    def delete(self, request: Request, name: str) -> Response:
        sandbox = own(request)
        expect_no_fields(request)
        services.processes.stop_process(sandbox=sandbox, name=name, actor=request.user)
        return _listed(sandbox)


class ProcessKill(APIView):
    scopes: ClassVar = {"POST": Scope.PROCESSES}

    @extend_schema(
        operation_id="process_kill",
        summary="Kill a process (SIGKILL)",
        request=None,
        responses={200: ProcessList, **REFUSED},
    )
    def post(self, request: Request, name: str) -> Response:
        sandbox = own(request)
        expect_no_fields(request)
        services.processes.kill_process(sandbox=sandbox, name=name, actor=request.user)
        return _listed(sandbox)


class ProcessRestart(APIView):
    scopes: ClassVar = {"POST": Scope.PROCESSES}

    @extend_schema(
        operation_id="process_restart",
        summary="Start a process again, without its environment variables",
        request=None,
        responses={200: ProcessList, 422: ErrorResponse, **REFUSED},
    )
    def post(self, request: Request, name: str) -> Response:
        sandbox = own(request)
        expect_no_fields(request)
        services.processes.restart_process(sandbox=sandbox, name=name, actor=request.user)
        return _listed(sandbox)


def _listed(sandbox: Sandbox, status: int = 200) -> Response:
    return Response(
        {"processes": services.processes.list_processes(sandbox=sandbox).processes}, status
    )
