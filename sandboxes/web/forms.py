"""Forms for actions on a sandbox."""

from datetime import timedelta
from typing import Any

from django import forms

from sandboxes.models import Sandbox

_HOURS = {"1": timedelta(hours=1), "8": timedelta(hours=8), "": None}


class PublishForm(forms.Form):
    """Form for the time that a port is to be public."""

    hours = forms.ChoiceField(
        label="For how long",
        choices=[("1", "1 hour"), ("8", "8 hours"), ("", "Until I make it private")],
        widget=forms.RadioSelect,
        initial="1",
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        # Left out, it would mean for ever: that has to be said.
        if "hours" not in self.data:
            self.add_error("hours", "Choose for how long.")
        cleaned["lasts"] = _HOURS.get(cleaned.get("hours", ""))
        return cleaned


class ConfirmForm(forms.Form):
    """The sandbox's name, typed; and which sandbox of that name the page was about."""

    confirm = forms.CharField(
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        )
    )
    made = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, data: Any, *, sandbox: Sandbox) -> None:
        made = sandbox.provider_created_at
        self.sandbox, self.of_page = sandbox, made.isoformat() if made else ""
        super().__init__(data, initial={"made": self.of_page})
        self.fields["confirm"].label = f"Type {sandbox.name} to confirm"

    def clean_confirm(self) -> str:
        confirm: str = self.cleaned_data["confirm"]
        if confirm.strip() != self.sandbox.name:
            raise forms.ValidationError("This is not the name of this sandbox.")
        return confirm

    @property
    def is_of_this_sandbox(self) -> bool:
        """Return whether the form is for this sandbox: a second click or an old tab may not be."""
        return bool(self.cleaned_data["made"] == self.of_page)
