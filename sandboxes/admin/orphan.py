"""Sandboxes at the provider that no row stands for: listed here, deleted by `manage.py orphans`."""

from django.contrib import admin

from sandboxes.admin.read_only import ReadOnlyAdmin
from sandboxes.models import Orphan
from sandboxes.reconciler import orphans


@admin.register(Orphan)
class OrphanAdmin(ReadOnlyAdmin):
    list_display = ["name", "reason", "owner_label", "provider_created_at", "seen_at", "remedy"]
    list_filter = ["reason"]
    search_fields = ["name", "owner_label"]
    ordering = ["name"]

    @admin.display(description="what can be done")
    def remedy(self, orphan: Orphan) -> str:
        owner = orphans.owner_of(orphan)
        if owner:
            return f"{owner} gets it back at the next sign-in."
        why_not = orphans.why_not_deletable(orphan)
        if why_not:
            return f"Left alone: {why_not}."
        return f"manage.py orphans --delete {orphan.name}"
