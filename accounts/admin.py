"""Users, as an admin sees them."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.urls import reverse
from django.utils.html import format_html

from accounts.models import User
from sandboxes import services
from sandboxes.models import Sandbox


class UserCreationForm(AdminUserCreationForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ["email"]


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]
    add_form = UserCreationForm
    ordering = ["email"]
    list_display = ["email", "is_staff", "is_active", "last_login", "sandbox_link"]
    list_select_related = ["sandbox"]
    search_fields = ["email"]
    readonly_fields = ["last_login", "date_joined", "sandbox_link", "sandbox_created_at"]
    fieldsets = [
        (None, {"fields": ["email", "password"]}),
        ("Sandbox", {"fields": ["sandbox_link", "sandbox_created_at"]}),
        ("Permissions", {"fields": ["is_active", "is_staff", "is_superuser", "groups"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["email", "usable_password", "password1", "password2"]}),
    ]

    @admin.display(description="sandbox", ordering="sandbox_id")
    def sandbox_link(self, user: User) -> str:
        sandbox: Sandbox | None = user.sandbox
        if sandbox is None:
            return "-"
        url = reverse("admin:sandboxes_sandbox_change", args=[sandbox.pk])
        return format_html('<a href="{}">{}</a> ({})', url, sandbox.name, sandbox.status.label)

    def delete_model(self, request: Any, obj: User) -> None:
        """Their sandbox goes too, however long that takes."""
        services.delete_account(user=obj)

    def delete_queryset(self, request: Any, queryset: Any) -> None:
        for user in queryset:
            services.delete_account(user=user)
