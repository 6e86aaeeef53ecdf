"""The forms of a client's own extract of the log (docs/adr/0018)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from registry import clock
from registry.forms import CodeField, DayField, without_code
from registry.models import ExtractLine, Ground, Requester
from registry.models.extract import USUAL
from registry.selectors.extracts import Line


class AskExtract(forms.Form):
    """Whose log is asked for, by whom, on what ground, and for which time."""

    hetu = CodeField(label=_("Identity code"))
    requester = forms.TypedChoiceField(
        label=_("Who asks?"),
        coerce=Requester,
        choices=lambda: [("", _("Choose who asks")), *Requester.choices],
        error_messages={"required": _("Choose who asks.")},
    )
    reference = forms.CharField(
        label=_("Own reference, or on what the right to ask rests"),
        help_text=_("For example the number of the request. It stands on the extract. No names or identity codes."),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Write your own reference, or on what the right to ask rests.")},
    )
    since = DayField(label=_("From the day"))
    until = DayField(label=_("To the day"))
    reason = forms.CharField(
        label=_("Special reason"),
        help_text=_("Only if log data older than two years is asked for. No names or identity codes."),
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data, initial={"since": two_years_ago(), "until": clock.today()})

    def clean_reference(self) -> str:
        """Without an identity code in it."""
        return without_code(self.cleaned_data["reference"])

    def clean_reason(self) -> str:
        """Without an identity code in it."""
        return without_code(self.cleaned_data["reason"])

    def clean(self) -> dict[str, Any]:
        """A period that has begun and ends by today; a longer one has its reason."""
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and (since > until or until > clock.today()):
            self.add_error("until", _("The period ends today at the latest, and not before it begins."))
        elif since and since < clock.today() - USUAL and not cleaned.get("reason", "").strip():
            self.add_error("reason", _("Log data older than two years is given for a special reason only: write it."))
        return cleaned


class RefuseExtract(forms.Form):
    """Why it is not given."""

    ground = forms.TypedChoiceField(
        label=_("Ground"),
        coerce=Ground,
        choices=lambda: [("", _("Choose the ground")), *Ground.choices],
        error_messages={"required": _("Choose the ground.")},
    )
    note = forms.CharField(
        label=_("In a few sentences"),
        help_text=_("Whoever asked reads it. No names, addresses or identity codes."),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "off"}),
        error_messages={"required": _("Write why in a few sentences: whoever asked reads it.")},
    )

    def clean_note(self) -> str:
        """Without an identity code in it."""
        return without_code(self.cleaned_data["note"])


class DecideLines(forms.Form):
    """One choice for each line: give it, or leave it out on a ground. None of them is chosen beforehand."""

    def __init__(self, lines: Iterable[Line], data: QueryDict | None = None) -> None:
        super().__init__(data)
        for line in lines:
            name = f"line-{line.number}"
            self.fields[name] = forms.ChoiceField(
                required=False,
                label=_("Decision about the line"),
                choices=_choices(with_place=bool(line.place)),
                initial=f"{line.decision} {line.ground}".strip(),
            )

    def decisions(self) -> dict[int, tuple[str, str]]:
        """What was chosen, by the number of the line."""
        chosen = {name.removeprefix("line-"): value for name, value in self.cleaned_data.items() if value}
        return {int(line): _parts(value) for line, value in chosen.items()}


def two_years_ago() -> date:
    """The day two years before today."""
    day = clock.today()
    return date(day.year - 2, day.month, 28 if (day.month, day.day) == (2, 29) else day.day)


def _choices(*, with_place: bool) -> list[tuple[str, Any]]:
    decision = ExtractLine.Decision
    given = [decision.GIVE, decision.WITH_PLACE] if with_place else [decision.GIVE]
    left = [(f"{decision.LEAVE_OUT} {one.value}", one.label) for one in (Ground.DANGER, Ground.OTHERS)]
    return [
        ("", _("Not decided yet")),
        *((str(one.value), one.label) for one in given),
        (str(_("Leave out")), left),
    ]


def _parts(value: str) -> tuple[str, str]:
    decision, _space, ground = value.partition(" ")
    return decision, ground
