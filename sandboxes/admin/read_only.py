from typing import Any

from django.contrib import admin
from django.http import HttpRequest


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The provider, or the past, is the truth: nothing here is edited by hand."""

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """Refuse filters by what no page shows: they would tell it piece by piece."""
        is_hidden = lookup.split("__")[0] in (self.exclude or ())
        return not is_hidden and super().lookup_allowed(lookup, value, request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
