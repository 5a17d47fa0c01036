"""The record of what was done, for admins: searched, never changed."""

from django.contrib import admin

from sandboxes.admin.read_only import ReadOnlyAdmin
from sandboxes.models import SandboxEvent


@admin.register(SandboxEvent)
class SandboxEventAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "sandbox_name", "action", "outcome", "actor_kind", "actor"]
    list_filter = ["actor_kind", "action", "created_at"]
    list_select_related = ["actor"]
    search_fields = ["sandbox_name", "action", "request_id", "actor__email"]
