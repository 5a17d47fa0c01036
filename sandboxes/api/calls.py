"""/api/sandbox/calls: what agents did in one's sandbox, newest first."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers

from accounts.models import Scope
from sandboxes.api.events import EventPagination
from sandboxes.api.serializers import ErrorResponse
from sandboxes.calls import CallEntry, Search
from sandboxes.models import ToolCall


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
    arguments = serializers.JSONField(help_text="Secrets masked, long texts cut.")
    outcome = serializers.CharField(help_text="ok, error or refused")
    code = serializers.CharField(allow_null=True)
    durationMs = serializers.IntegerField()
    changed = serializers.ListField(child=serializers.CharField())
    requestId = serializers.CharField()


class SandboxCalls(generics.ListAPIView[ToolCall]):
    scopes: ClassVar = {"GET": Scope.SANDBOX_READ}
    serializer_class = ToolCallSerializer
    pagination_class = EventPagination

    def get_queryset(self) -> QuerySet[ToolCall]:
        search = Search.of(self.request.GET)
        calls: QuerySet[ToolCall] = ToolCall.objects.of(self.request.user)
        return calls.matching(search.text, search.outcome)  # type: ignore[attr-defined, no-any-return]

    @extend_schema(
        operation_id="sandbox_calls",
        summary="What agents did in your sandbox, newest first",
        parameters=[
            OpenApiParameter("q", str, description="Words in the agent, tool, arguments or paths."),
            OpenApiParameter("outcome", str, enum=ToolCall.Outcome.values),
        ],
        responses={200: ToolCallResponse(many=True), 401: ErrorResponse, 403: ErrorResponse},
    )
    def get(self, *args: Any, **kwargs: Any) -> Any:
        return super().get(*args, **kwargs)
