"""/api/sandbox/calls: what agents did in the user's sandbox, newest first."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from manta.core.api_input import valid
from sandboxes.api.events import REFUSED, EventPagination, PageQuery
from sandboxes.models import ToolCall
from sandboxes.presenters.tool_call_log import CallEntry, Search


class ToolCallSerializer(serializers.BaseSerializer[ToolCall]):
    def to_representation(self, instance: ToolCall) -> dict[str, Any]:
        return CallEntry(instance).as_json()


class ToolCallResponse(serializers.Serializer[Any]):
    """The shape of CallEntry.as_json."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    sandboxId = serializers.CharField()
    agent = serializers.CharField()
    agentKind = serializers.CharField(help_text="token or agent")
    tool = serializers.CharField()
    arguments = serializers.JSONField(help_text="Secrets are masked, long texts are truncated.")
    outcome = serializers.CharField(help_text="ok, error or refused")
    code = serializers.CharField(allow_null=True)
    durationMs = serializers.IntegerField()
    changed = serializers.ListField(child=serializers.CharField())
    requestId = serializers.CharField()


class CallsQuery(PageQuery):
    q = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=200,
        help_text="Words in the agent, tool, arguments or paths.",
    )
    outcome = serializers.ChoiceField(ToolCall.Outcome.values, default="", allow_blank=True)


class SandboxCalls(generics.ListAPIView[ToolCall]):
    queries: ClassVar = {"GET"}
    scopes: ClassVar = {"GET": Scope.SANDBOX_READ}
    serializer_class = ToolCallSerializer
    pagination_class = EventPagination

    def get_queryset(self) -> QuerySet[ToolCall]:
        search = Search.of(self.request.GET)
        calls: QuerySet[ToolCall] = ToolCall.objects.for_user(self.request.user)
        return calls.matching(search.text, search.outcome)  # type: ignore[attr-defined, no-any-return]

    @extend_schema(
        operation_id="sandbox_calls",
        summary="List what agents did in your sandbox, newest first",
        parameters=[CallsQuery],
        responses={200: ToolCallResponse(many=True), **REFUSED},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        valid(CallsQuery, request.query_params)
        return super().get(request, *args, **kwargs)
