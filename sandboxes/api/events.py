"""/api/sandbox/events: what was done to one's sandboxes, newest first."""

from typing import Any, ClassVar, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.pagination import CursorPagination

from accounts.models import Scope, User
from sandboxes.activity import Entry
from sandboxes.api.serializers import ErrorResponse
from sandboxes.models import SandboxEvent


class SandboxEventSerializer(serializers.BaseSerializer[SandboxEvent]):
    def to_representation(self, instance: SandboxEvent) -> dict[str, Any]:
        user = cast(User, self.context["request"].user)
        return Entry(instance, user).as_json()


class SandboxEventResponse(serializers.Serializer[Any]):
    """The shape of Entry.as_json."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    sandboxId = serializers.CharField()
    actor = serializers.CharField(help_text="user, token, admin or job")
    actorName = serializers.CharField(allow_null=True)
    action = serializers.CharField()
    detail = serializers.CharField()
    outcome = serializers.CharField(help_text="ok, or the code of what went wrong")
    reason = serializers.CharField()
    requestId = serializers.CharField()
    ip = serializers.CharField(allow_null=True, help_text="Only of your own actions.")


class EventPagination(CursorPagination):
    """Costs the same on every page, however long the record is."""

    ordering = "-id"
    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 500


class SandboxEvents(generics.ListAPIView[SandboxEvent]):
    scopes: ClassVar = {"GET": Scope.SANDBOX_READ}
    serializer_class = SandboxEventSerializer
    pagination_class = EventPagination

    def get_queryset(self) -> QuerySet[SandboxEvent]:
        return SandboxEvent.objects.visible_to(self.request.user)

    @extend_schema(
        operation_id="sandbox_events",
        summary="What was done to your sandboxes, newest first",
        responses={200: SandboxEventResponse(many=True), 401: ErrorResponse, 403: ErrorResponse},
    )
    def get(self, *args: Any, **kwargs: Any) -> Any:
        return super().get(*args, **kwargs)
