"""The form of the schedule."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from vtjsync.tasks import EVERY_MINUTES


def interval(minutes: int) -> str:
    """``every 15 minutes``, ``every 2 hours``, in the language of the moment."""
    if minutes % 60:
        return gettext("every %(minutes)s minutes") % {"minutes": minutes}
    return ngettext("every hour", "every %(hours)s hours", minutes // 60) % {"hours": minutes // 60}


class ScheduleForm(forms.Form):
    """One of the offered intervals."""

    minutes = forms.TypedChoiceField(
        label=_("The sync runs by itself"),
        coerce=int,
        choices=lambda: [(minutes, interval(minutes)) for minutes in EVERY_MINUTES],
    )
