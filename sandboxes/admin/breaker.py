"""Whether the provider is called at all."""

from django.contrib import admin

from sandboxes.admin.read_only import ReadOnlyAdmin
from sandboxes.models import Breaker


@admin.register(Breaker)
class BreakerAdmin(ReadOnlyAdmin):
    list_display = ["state", "failures", "rests", "rests_until"]
