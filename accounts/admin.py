"""Users, as an admin sees them."""

from typing import Any

# Imported for what they register, and what is taken back below.
import allauth.idp.oidc.admin
import allauth.mfa.admin
import allauth.socialaccount.admin
import allauth.usersessions.admin  # noqa: F401
from allauth.idp.oidc.models import Client, Token
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from accounts.models import User
from sandboxes import services
from sandboxes.models import Sandbox

# Providers are set by variables, tokens are not kept, agents are let in by their person alone, and
# the others' pages showed secrets.
admin.site.unregister(
    [Authenticator, Client, SocialAccount, SocialApp, SocialToken, Token, UserSession]
)


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
    # Django's widget for it names what has no role.
    filter_horizontal = []
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


@admin.register(Authenticator)
class AuthenticatorAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Second factors: to be removed from who has lost them, and nothing else."""

    list_display = ["user", "type", "created_at", "last_used_at"]
    list_filter = ["type"]
    list_select_related = ["user"]
    search_fields = ["user__email"]
    fields = ["user", "type", "created_at", "last_used_at"]
    readonly_fields = ["user", "type", "created_at", "last_used_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
