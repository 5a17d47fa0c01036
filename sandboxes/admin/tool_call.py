"""Read-only admin of agents' tool calls; opening one is recorded for its owner."""

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse

from sandboxes import audit
from sandboxes.admin.event import BoundedPaginator
from sandboxes.admin.read_only import ReadOnlyAdmin
from sandboxes.models import Sandbox, ToolCall


@admin.register(ToolCall)
class ToolCallAdmin(ReadOnlyAdmin):
    # Not the arguments: to read those, an admin opens the call, which leaves a line.
    list_display = ["created_at", "sandbox_name", "tool", "outcome", "code", "duration_ms"]
    list_filter = ["outcome", "agent_kind", "created_at"]
    list_per_page = 100
    ordering = ["-pk"]
    paginator = BoundedPaginator
    show_full_result_count = False
    search_fields = ["^sandbox_name", "=request_id", "=tool", "=code"]
    search_help_text = "A sandbox, a tool, a code, or a request id"

    def change_view(self, request: HttpRequest, object_id: str, *args: object) -> HttpResponse:
        call = self.get_object(request, unquote(object_id))
        response = super().change_view(request, object_id, *args)  # type: ignore[arg-type]
        sandbox = Sandbox.objects.filter(name=call.sandbox_name).first() if call else None
        if sandbox and response.status_code == 200:
            audit.record_view(sandbox, actor=request.user)
        return response
