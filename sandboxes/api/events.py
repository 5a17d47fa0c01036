"""/api/sandbox/events: what was done to the user's sandboxes, newest first."""

from typing import Any, ClassVar, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope, User
from manta.core.api_input import Serializer, valid
from sandboxes.models import SandboxEvent
from sandboxes.presenters.event_log import Entry
from sandboxes.presenters.serializers import ErrorResponse

REFUSED = dict.fromkeys((400, 401, 403), ErrorResponse)


class SandboxEventSerializer(serializers.BaseSerializer[SandboxEvent]):
    def to_representation(self, instance: SandboxEvent) -> dict[str, Any]:
        user = cast(User, self.context["request"].user)
        return Entry(instance, user).as_json()


class SandboxEventResponse(serializers.Serializer[Any]):
    """The shape of Entry.as_json."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    sandboxId = serializers.CharField()
    actor = serializers.CharField(help_text=f"One of {', '.join(SandboxEvent.Actor.values)}.")
    actorName = serializers.CharField(allow_null=True)
    action = serializers.CharField()
    detail = serializers.CharField()
    outcome = serializers.CharField(help_text="ok, or an error code")
    reason = serializers.CharField()
    requestId = serializers.CharField()
    ip = serializers.CharField(allow_null=True, help_text="Only for your own actions.")


class EventPagination(CursorPagination):
    """Costs the same on every page, however long the record is."""

    ordering = "-id"
    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 500


class PageQuery(Serializer):
    limit = serializers.IntegerField(
        default=EventPagination.page_size, min_value=1, max_value=EventPagination.max_page_size
    )
    cursor = serializers.CharField(
        default="", allow_blank=True, help_text="Used in the addresses in `next` and `previous`."
    )


class SandboxEvents(generics.ListAPIView[SandboxEvent]):
    queries: ClassVar = {"GET"}
    scopes: ClassVar = {"GET": Scope.SANDBOX_READ}
    serializer_class = SandboxEventSerializer
    pagination_class = EventPagination

    def get_queryset(self) -> QuerySet[SandboxEvent]:
        return SandboxEvent.objects.visible_to(self.request.user)

    @extend_schema(
        operation_id="sandbox_events",
        summary="List what was done to your sandboxes, newest first",
        parameters=[PageQuery],
        responses={200: SandboxEventResponse(many=True), **REFUSED},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        valid(PageQuery, request.query_params)
        return super().get(request, *args, **kwargs)
