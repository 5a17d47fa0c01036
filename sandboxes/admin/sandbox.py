"""Sandboxes, as an admin sees them: what is known, why it failed, and what can be done."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin import helpers
from django.contrib.admin.utils import unquote
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html

from manta.core.admin_search import IndexedSearchAdmin
from sandboxes import audit, services
from sandboxes.admin.read_only import ReadOnlyAdmin
from sandboxes.models import Action, Phase, Sandbox
from sandboxes.models.status import Status, rows_with
from sandboxes.reconciler import drift

# What is said once an action that asks first has begun.
_STARTED = {"reset": "Resetting", "delete": "Deleting"}


class StatusFilter(admin.SimpleListFilter):
    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(each.value, each.label) for each in Status if each is not Status.UNKNOWN]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Sandbox]) -> QuerySet[Sandbox]:
        value = self.value()
        return queryset.filter(rows_with(Status(value))) if value in Status.values else queryset


class OwnerFilter(admin.SimpleListFilter):
    """Filter for sandboxes of deleted accounts; they go as soon as the provider deletes them."""

    title = "owner"
    parameter_name = "account"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("deleted", "account deleted")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Sandbox]) -> QuerySet[Sandbox]:
        return queryset.filter(owner=None) if self.value() == "deleted" else queryset


@admin.register(Sandbox)
class SandboxAdmin(IndexedSearchAdmin, ReadOnlyAdmin):
    list_display = [
        "name",
        "shown_status",
        "owner_link",
        "image",
        "age",
        "expiry",
        "checked",
        "error_message",
    ]
    # None whose choices would have to be read from every row.
    list_filter = [StatusFilter, OwnerFilter, "phase"]
    show_full_result_count = False
    list_select_related = ["owner"]
    list_per_page = 100
    search_beginnings = ["name", "owner__email__lower"]
    search_exactly = ["error_code"]
    search_fields = ["name", "owner__email", "error_code", "error_message"]
    search_help_text = (
        "Searches the beginning of names and addresses, and whole error codes. If none matches, "
        "searches any part of them and of error messages."
    )
    ordering = ["-created_at"]
    actions = ["refresh", "retry", "restart", "reset_sandboxes", "delete_sandboxes"]
    # What opens the sandbox is not for admins to read.
    exclude = ["data_url", "data_token"]
    readonly_fields = ["shown_status", "owner_link", "record_link", "differences"]

    @admin.display(description="status", ordering="known_status")
    def shown_status(self, sandbox: Sandbox) -> str:
        return str(sandbox.status.label)

    @admin.display(description="owner", ordering="owner__email")
    def owner_link(self, sandbox: Sandbox) -> str:
        if sandbox.owner is None:
            return "account deleted"
        url = reverse("admin:accounts_user_change", args=[sandbox.owner.pk])
        return format_html('<a href="{}">{}</a>', url, sandbox.owner.email)

    @admin.display(description="record")
    def record_link(self, sandbox: Sandbox) -> str:
        url = reverse("admin:sandboxes_sandboxevent_changelist")
        return format_html('<a href="{}?sandbox_name={}">Activity</a>', url, sandbox.name)

    @admin.display(description="differs at the provider")
    def differences(self, sandbox: Sandbox) -> str:
        return "\n".join(drift.notes(sandbox)) or "nothing"

    @admin.display(description="age", ordering="provider_created_at")
    def age(self, sandbox: Sandbox) -> str:
        return naturaltime(sandbox.provider_created_at) if sandbox.provider_created_at else "-"

    @admin.display(description="expires", ordering="expires_at")
    def expiry(self, sandbox: Sandbox) -> str:
        return naturaltime(sandbox.expires_at) if sandbox.expires_at else "-"

    @admin.display(description="last checked", ordering="checked_at")
    def checked(self, sandbox: Sandbox) -> str:
        return naturaltime(sandbox.checked_at) if sandbox.checked_at else "never"

    def change_view(self, request: HttpRequest, object_id: str, *args: Any) -> HttpResponse:
        """Show it, and leave a line that its owner sees."""
        sandbox = self.get_object(request, unquote(object_id))
        response = super().change_view(request, object_id, *args)
        if sandbox and response.status_code == 200:
            audit.record_view(sandbox, actor=request.user)
        return response

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """May refresh and retry: Django's own "change", which the form doesn't offer."""
        return request.user.has_perm("sandboxes.change_sandbox")

    def has_remove_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("sandboxes.delete_sandbox")

    @admin.action(description="Refresh from the provider", permissions=["operate"])
    def refresh(self, request: HttpRequest, queryset: QuerySet[Sandbox]) -> None:
        for sandbox in queryset:
            services.row_updates.refresh_sandbox(sandbox=sandbox)
            audit.record(sandbox, Action.REFRESHED, actor=request.user)
        self.message_user(request, "Refreshing from the provider. Reload in a second.")

    @admin.action(description="Retry or recreate", permissions=["operate"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Sandbox]) -> None:
        stuck = [
            sandbox
            for sandbox in queryset
            if sandbox.phase == Phase.GONE or sandbox.status is Status.FAILED
        ]
        for sandbox in stuck:
            services.provisioning.start_over(sandbox=sandbox, actor=request.user)
        left = queryset.count() - len(stuck)
        note = f" {left} had nothing to retry." if left else ""
        self.message_user(request, f"Creating {len(stuck)} again.{note}")

    @admin.action(description="Restart, keeping the files", permissions=["operate"])
    def restart(self, request: HttpRequest, queryset: QuerySet[Sandbox]) -> None:
        ready = [sandbox for sandbox in queryset if sandbox.phase == Phase.READY]
        for sandbox in ready:
            services.restarts.restart_sandbox(sandbox=sandbox, actor=request.user)
        left = queryset.count() - len(ready)
        note = f" {left} had nothing to restart." if left else ""
        self.message_user(request, f"Restarting {len(ready)}.{note}")

    @admin.action(description="Reset to the starter", permissions=["remove"])
    def reset_sandboxes(
        self, request: HttpRequest, queryset: QuerySet[Sandbox]
    ) -> HttpResponse | None:
        there = queryset.exclude(phase__in=[Phase.DELETING, Phase.GONE])
        return self._confirmed(request, there, "reset", services.deletion.reset_sandbox)

    @admin.action(description="Delete with all files", permissions=["remove"])
    def delete_sandboxes(
        self, request: HttpRequest, queryset: QuerySet[Sandbox]
    ) -> HttpResponse | None:
        return self._confirmed(request, queryset, "delete", services.deletion.delete_sandbox)

    def _confirmed(
        self,
        request: HttpRequest,
        queryset: QuerySet[Sandbox],
        action: str,
        act: Callable[..., None],
    ) -> HttpResponse | None:
        """Show what would be lost; act once that was confirmed, with a reason the owner reads."""
        reason = request.POST.get("reason", "").strip()
        if "confirmed" not in request.POST or not reason:
            context = {
                **self.admin_site.each_context(request),
                "title": f"{action.title()} sandboxes?",
                "action": action,
                "sandboxes": queryset,
                "opts": self.model._meta,
                "action_checkbox_name": helpers.ACTION_CHECKBOX_NAME,
            }
            return TemplateResponse(request, "admin/sandboxes/confirm.html", context)
        sandboxes = list(queryset)
        for sandbox in sandboxes:
            act(sandbox=sandbox, actor=request.user, reason=reason[:1000])
        self.message_user(request, f"{_STARTED[action]} {len(sandboxes)}.")
        return None
