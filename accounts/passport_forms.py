from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from accounts.models import Ability
from accounts.passports import Passport, normalised

_KEEP = "keep"
_LIFETIMES = {"1h": timedelta(hours=1), "1d": timedelta(days=1), "7d": timedelta(days=7)}
_CHOICES = [
    ("", "As long as the connection"),
    *zip(_LIFETIMES, ("1 hour", "1 day", "7 days"), strict=True),
]


class PassportFields(forms.Form):
    """Fields of a passport, for a form of their own or beside other fields (with a prefix)."""

    abilities = forms.MultipleChoiceField(
        label="What an agent may do",
        choices=Ability.choices,
        initial=Ability.values,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    path_prefix = forms.CharField(
        label="Only below this folder",
        required=False,
        max_length=512,
        help_text="Such as /blaxel/app; empty for the whole sandbox, where writing amounts to "
        "running in the long run. It can't be combined with running commands: a command could "
        "read any file.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    passport_lifetime = forms.ChoiceField(
        label="May do this for", choices=_CHOICES, required=False, initial=""
    )

    def clean_path_prefix(self) -> str:
        written: str = self.cleaned_data["path_prefix"].strip()
        if not written:
            return ""
        if not written.startswith("/") or not written.isprintable():
            raise forms.ValidationError("Write it from the root: it begins with a slash.")
        return normalised(written)

    @property
    def wants_passport(self) -> bool:
        """Return whether the form creates a connection that has a passport."""
        return True

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        abilities = data.get("abilities") or []
        if not self.wants_passport or "abilities" in self.errors:
            return data
        if not abilities:
            self.add_error("abilities", "Tick at least one: otherwise the agent can do nothing.")
        if data.get("path_prefix") and Ability.RUN in abilities:
            self.add_error(
                "path_prefix",
                "Untick running commands, or leave this empty: a command could read any file.",
            )
        return data

    def passport(self) -> dict[str, Any]:
        """Return the values that passports.issue takes."""
        return {
            "abilities": self.cleaned_data["abilities"],
            "path_prefix": self.cleaned_data["path_prefix"],
            "expires_at": self._expires_at(),
        }

    def _expires_at(self) -> datetime | None:
        lifetime = _LIFETIMES.get(self.cleaned_data["passport_lifetime"])
        return timezone.now() + lifetime if lifetime else None


class PassportForm(PassportFields):
    """Changes the passport of a connection that there is."""

    def __init__(self, data: Any, passport: Passport) -> None:
        initial = {
            "abilities": sorted(passport.abilities),
            "path_prefix": passport.path_prefix,
            "passport_lifetime": _KEEP if passport.expires_at else "",
        }
        super().__init__(data, initial=initial)
        self._passport = passport
        if passport.expires_at:
            choices = [(_KEEP, "As it is"), *_CHOICES]
            self.fields["passport_lifetime"].choices = choices  # type: ignore[attr-defined]

    def _expires_at(self) -> datetime | None:
        if self.cleaned_data["passport_lifetime"] == _KEEP:
            return self._passport.expires_at
        return super()._expires_at()
