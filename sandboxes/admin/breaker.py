"""Admin page of the provider's circuit breaker."""

from django.contrib import admin

from sandboxes.admin.read_only import ReadOnlyAdmin
from sandboxes.models import Breaker


@admin.register(Breaker)
class BreakerAdmin(ReadOnlyAdmin):
    list_display = ["state", "failures", "times_opened", "open_until"]
