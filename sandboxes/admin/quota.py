"""Limits, edited by an admin; each change is on the record of whom it concerns."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from sandboxes import audit
from sandboxes.models import Action, Quota, Sandbox


@admin.register(Quota)
class QuotaAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["__str__", "sandboxes", "memory_mb", "creations_per_hour"]
    list_select_related = ["user"]
    fields = ["scope", "user", "sandboxes", "memory_mb", "creations_per_hour"]
    # Not a list to search in: the names in its markup lead nowhere.
    raw_id_fields = ["user"]
    search_fields = ["user__email"]

    def save_model(self, request: HttpRequest, obj: Quota, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        changes = [
            f"{form.fields[name].label}: "
            f"{_shown(form.initial.get(name))} → {_shown(getattr(obj, name))}"
            for name in form.changed_data
            if name not in ("scope", "user")
        ]
        _record(obj, request, ", ".join(changes) or "no limit")

    def delete_model(self, request: HttpRequest, obj: Quota) -> None:
        _record(obj, request, "removed")
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Quota]) -> None:
        for quota in queryset:
            _record(quota, request, "removed")
        super().delete_queryset(request, queryset)


def _shown(limit: int | None) -> str:
    return "no limit" if limit is None else str(limit)


def _record(quota: Quota, request: HttpRequest, reason: str) -> None:
    """Record it for the user's sandbox, or for none where the quota concerns all users."""
    name = quota.user.sandbox_id or "" if quota.user else ""
    concerned = Sandbox(name=name, owner=quota.user)
    audit.record(
        concerned, Action.QUOTA_CHANGED, actor=request.user, detail=str(quota), reason=reason
    )
