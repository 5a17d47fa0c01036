from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from accounts.agent_permissions import Permissions, normalised
from accounts.models import Capability

_KEEP = "keep"
_LIFETIMES = {"1h": timedelta(hours=1), "1d": timedelta(days=1), "7d": timedelta(days=7)}
_CHOICES = [
    ("", "Until the connection ends"),
    *zip(_LIFETIMES, ("1 hour", "1 day", "7 days"), strict=True),
]


class PermissionFields(forms.Form):
    """Fields of an agent's permissions, in their own form or inside another one."""

    capabilities = forms.MultipleChoiceField(
        label="What the agent may do",
        choices=Capability.choices,
        initial=Capability.values,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    path_prefix = forms.CharField(
        label="Limit to folder",
        required=False,
        max_length=512,
        help_text="For example /blaxel/app. Empty for the whole sandbox, where writing amounts to "
        "running in the long run. It can't be combined with running commands: a command could "
        "read any file.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    permissions_lifetime = forms.ChoiceField(
        label="Permissions last", choices=_CHOICES, required=False, initial=""
    )

    def clean_path_prefix(self) -> str:
        written: str = self.cleaned_data["path_prefix"].strip()
        if not written:
            return ""
        if not written.startswith("/") or not written.isprintable():
            raise forms.ValidationError("Enter an absolute path, which begins with a slash.")
        return normalised(written)

    @property
    def wants_permissions(self) -> bool:
        """Return whether the form creates a connection that has permissions."""
        return True

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        capabilities = data.get("capabilities") or []
        if not self.wants_permissions or "capabilities" in self.errors:
            return data
        if not capabilities:
            self.add_error(
                "capabilities", "Select at least one: otherwise the agent can do nothing."
            )
        if data.get("path_prefix") and Capability.RUN in capabilities:
            self.add_error(
                "path_prefix",
                "Deselect running commands, or leave this empty: a command could read any file.",
            )
        return data

    def permissions(self) -> dict[str, Any]:
        """Return the values that agent_permissions.issue takes."""
        return {
            "capabilities": self.cleaned_data["capabilities"],
            "path_prefix": self.cleaned_data["path_prefix"],
            "expires_at": self._expires_at(),
        }

    def _expires_at(self) -> datetime | None:
        lifetime = _LIFETIMES.get(self.cleaned_data["permissions_lifetime"])
        return timezone.now() + lifetime if lifetime else None


class PermissionsForm(PermissionFields):
    """Change the permissions of an existing connection."""

    def __init__(self, data: Any, permissions: Permissions) -> None:
        initial = {
            "capabilities": sorted(permissions.capabilities),
            "path_prefix": permissions.path_prefix,
            "permissions_lifetime": _KEEP if permissions.expires_at else "",
        }
        super().__init__(data, initial=initial)
        self._permissions = permissions
        if permissions.expires_at:
            choices = [(_KEEP, "As it is"), *_CHOICES]
            self.fields["permissions_lifetime"].choices = choices  # type: ignore[attr-defined]

    def _expires_at(self) -> datetime | None:
        if self.cleaned_data["permissions_lifetime"] == _KEEP:
            return self._permissions.expires_at
        return super()._expires_at()
