"""The form of emergency access (docs/adr/0019)."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from registry.forms import CodeField, without_code


class AskEmergency(forms.Form):
    """Whom, and why; and that the user knows who is told."""

    hetu = CodeField(label=_("Identity code"))
    reason = forms.CharField(
        label=_("Why do you need the client's data now?"),
        help_text=_("Your supervisor reads it. No names, addresses or identity codes."),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off"}),
        error_messages={"required": _("Write why: your supervisor reads it.")},
    )
    confirmed = forms.BooleanField(
        label=_("I know that my supervisor is told of this, with my name and the reason"),
        error_messages={"required": _("Confirm that you know who is told.")},
    )

    def clean_reason(self) -> str:
        """Without an identity code in it."""
        return without_code(self.cleaned_data["reason"])
