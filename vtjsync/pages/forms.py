"""The form of the schedule."""

from __future__ import annotations

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from vtjsync.tasks import EVERY_MINUTES


def interval(minutes: int) -> str | Promise:
    """``every 15 minutes``, ``every 2 hours``."""
    if minutes % 60:
        return _("every %(minutes)s minutes") % {"minutes": minutes}
    return ngettext_lazy("every hour", "every %(hours)s hours", minutes // 60) % {"hours": minutes // 60}


class ScheduleForm(forms.Form):
    """One of the offered intervals."""

    minutes = forms.TypedChoiceField(
        label=_("The sync runs by itself"),
        coerce=int,
        choices=[(minutes, interval(minutes)) for minutes in EVERY_MINUTES],
    )
