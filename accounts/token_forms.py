from datetime import timedelta
from typing import Any

from django import forms
from django.core.validators import RegexValidator

from accounts import tokens
from accounts.agent_permission_forms import PermissionFields
from accounts.models import PersonalToken, Scope

_DAYS = [(lifetime.days, f"{lifetime.days} days") for lifetime in PersonalToken.LIFETIMES]


class TokenForm(PermissionFields):
    # The next token's: a form that is sent twice, or reloaded, makes one.
    key = forms.CharField(
        widget=forms.HiddenInput, initial=tokens.new_key, validators=[RegexValidator(tokens.KEY)]
    )
    name = forms.CharField(
        max_length=64,
        help_text="The program that uses it, and where. Your activity shows this name.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        choices=Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Select at least one scope."},
    )
    lifetime = forms.TypedChoiceField(
        label="Ends after",
        choices=_DAYS,
        initial=30,
        coerce=lambda days: timedelta(days=int(days)),
    )

    @property
    def wants_permissions(self) -> bool:
        return Scope.MCP in self.cleaned_data.get("scopes", ())

    def clean_name(self) -> str:
        name: Any = self.cleaned_data["name"]
        if not name.isprintable():
            raise forms.ValidationError("Remove the invisible characters.")
        return str(name)
