"""Moments, lengths of time and large numbers, as people read them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import template
from django.utils.translation import gettext as _

register = template.Library()


@register.filter(expects_localtime=True)
def moment(value: datetime) -> str:
    """``31.1.2026 klo 9.05``, for a sentence; a table has the plainer ``31.1.2026 09.05``."""
    told = {"day": f"{value.day}.{value.month}.{value.year}", "hour": value.hour, "minute": f"{value.minute:02}"}
    return _("%(day)s at %(hour)s:%(minute)s") % told


@register.filter
def duration(value: timedelta | None) -> str:
    """``under 1 s``, ``12 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if value is None:
        return "–"
    seconds = int(value.total_seconds())
    if not seconds:
        return _("under 1 s")
    if seconds < 60:
        return _("%(seconds)s s") % {"seconds": seconds}
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return _("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": seconds}
    return _("%(hours)s h %(minutes)s min") % {"hours": minutes // 60, "minutes": minutes % 60}


@register.filter
def number(value: int) -> str:
    """``1 234 567`` with spaces that do not break."""
    return f"{value:,}".replace(",", "\u00a0")
