"""The record of what was done, for admins: searched, never changed."""

from django.contrib import admin
from django.core.paginator import Paginator
from django.utils.functional import cached_property

from sandboxes.admin.read_only import ReadOnlyAdmin
from sandboxes.models import SandboxEvent


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts up to a limit, because counting the whole record reads all of it."""

    MAX_ROWS = 10_000

    @cached_property
    def count(self) -> int:
        return int(self.object_list[: self.MAX_ROWS].count())  # type: ignore[attr-defined]


@admin.register(SandboxEvent)
class SandboxEventAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "sandbox_name", "action", "detail", "outcome", "who", "ip"]
    list_filter = ["actor_kind", "action", "created_at"]
    list_per_page = 100
    ordering = ["-pk"]
    paginator = BoundedPaginator
    show_full_result_count = False
    search_fields = ["^sandbox_name", "=request_id", "^actor_name", "=outcome", "=ip"]
    search_help_text = "A sandbox, who did it, an outcome, an address, or a request id"

    @admin.display(description="by", ordering="actor_kind")
    def who(self, event: SandboxEvent) -> str:
        return event.actor_name or event.get_actor_kind_display()
