"""Users, as an admin sees them."""

from typing import Any

# Imported for what they register, and what is taken back below.
import allauth.account.admin
import allauth.idp.oidc.admin
import allauth.mfa.admin
import allauth.socialaccount.admin
import allauth.usersessions.admin  # noqa: F401
from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.idp.oidc.models import Client, Token
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html

from accounts.deletion import delete_account
from accounts.hooks import password_set_by_admin
from accounts.models import User
from manta.core.admin_search import IndexedSearchAdmin

# Providers are set by variables, tokens are not kept, agents are let in by their person alone, and
# the others' pages showed secrets.
admin.site.unregister(
    [
        *(Authenticator, Client, EmailAddress, Group),
        *(SocialAccount, SocialApp, SocialToken, Token, UserSession),
    ]
)


def may_touch(actor: Any, user: User) -> bool:
    """Return whether staff may change a user: accounts with a role are for superusers."""
    return bool(actor.is_superuser or actor.pk == user.pk or not user.has_role)


class OfUsers(admin.ModelAdmin):  # type: ignore[type-arg]
    """Base of admins for rows of a user: only those who may touch that user change them."""

    def user_of(self, obj: Any) -> User:
        user: User = obj.user
        return user

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """Refuse filters by what no page shows: they would tell it piece by piece."""
        is_hidden = self.fields is not None and lookup.split("__")[0] not in self.fields
        return not is_hidden and super().lookup_allowed(lookup, value, request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or may_touch(request.user, self.user_of(obj)))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or may_touch(request.user, self.user_of(obj)))


class UserCreationForm(AdminUserCreationForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ["email"]


@admin.register(User)
class UserAdmin(OfUsers, IndexedSearchAdmin, DjangoUserAdmin):  # type: ignore[type-arg]
    add_form = UserCreationForm
    ordering = ["email"]
    list_display = ["email", "is_staff", "is_active", "last_login", "sandbox_link"]
    list_select_related = ["sandbox"]
    search_beginnings = ["email__lower"]
    search_fields = ["email"]
    search_help_text = (
        "Searches the beginning of addresses. If none matches, searches any part of them."
    )
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
        sandbox = user.sandbox
        if sandbox is None:
            return "-"
        url = reverse("admin:sandboxes_sandbox_change", args=[sandbox.pk])
        return format_html('<a href="{}">{}</a> ({})', url, sandbox.name, sandbox.status.label)

    def user_of(self, obj: User) -> User:
        return obj

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Roles are given by superusers alone."""
        roles = [] if _is_superuser(request) else ["is_staff", "is_superuser", "groups"]
        return [*super().get_readonly_fields(request, obj), *roles]

    def delete_model(self, request: Any, obj: User) -> None:
        """Their sandbox goes too, however long that takes."""
        delete_account(user=obj, actor=request.user)

    def delete_queryset(self, request: Any, queryset: Any) -> None:
        for user in queryset:
            delete_account(user=user, actor=request.user)

    def user_change_password(self, request: Any, id: str, form_url: str = "") -> HttpResponse:
        user = self.get_object(request, unquote(id))
        before = user.password if user else ""
        response: HttpResponse = super().user_change_password(request, id, form_url)
        if user and user.pk != request.user.pk:
            user.refresh_from_db()
            if user.password != before:
                _tell_of_password(user, actor=request.user)
        return response


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_superuser)


def _tell_of_password(user: User, *, actor: Any) -> None:
    """Record that an admin has set a user's password, and tell that user."""
    password_set_by_admin.send(User, user=user, actor=actor)
    context = {"actor": actor, "has_password": user.has_usable_password()}
    get_adapter().send_mail("accounts/email/password_set_by_admin", user.email, context)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin):
    """Groups, which superusers alone change: they decide what staff may do."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)


@admin.register(EmailAddress)
class EmailAddressAdmin(OfUsers):
    """Addresses: to be marked as confirmed where no mail arrives, and nothing else."""

    list_display = ["email", "user", "primary", "verified"]
    list_filter = ["primary", "verified"]
    list_select_related = ["user"]
    search_fields = ["email", "user__email"]
    fields = ["user", "email", "primary", "verified"]
    readonly_fields = ["user", "email", "primary"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(Authenticator)
class AuthenticatorAdmin(OfUsers):
    """Second factors, which staff may remove from users who have lost them."""

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
