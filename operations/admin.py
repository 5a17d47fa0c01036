"""Failures, as an admin sees them. Resolving one deletes it: should it happen again, it is back."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from operations.models import Failure
from sandboxes.admin.read_only import ReadOnlyAdmin


@admin.register(Failure)
class FailureAdmin(ReadOnlyAdmin):
    list_display = ["title", "location", "count", "last_seen", "last_place", "last_request_id"]
    list_filter = ["last_place", "last_seen"]
    list_per_page = 100
    search_fields = ["title", "location", "last_request_id", "last_traceback"]
    ordering = ["-last_seen"]
    actions = ["resolve"]
    exclude = ["fingerprint", "last_traceback"]
    readonly_fields = ["traceback"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("operations.delete_failure")

    @admin.display(description="last traceback")
    def traceback(self, failure: Failure) -> str:
        return format_html("<pre>{}</pre>", failure.last_traceback or "-")

    @admin.action(description="Resolve until it happens again", permissions=["delete"])
    def resolve(self, request: HttpRequest, queryset: QuerySet[Failure]) -> None:
        count, _ = queryset.delete()
        self.message_user(request, f"{count} resolved.")
