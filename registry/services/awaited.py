"""Clientships that were added by hand, and that VTJ answered about before they began (domain.md A1, E38)."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.db.models import F

from registry.models import Clientship
from registry.services import vtj_data
from registry.sql import ids


def begin(day: date) -> None:
    """Those that have begun by the Helsinki day await nothing more: their persons are seen, as somebody new is when the
    first answer comes."""
    rows = Clientship.objects.filter(start__lte=day, person__checked_at__gt=F("awaits_since"))
    persons = set(rows.values_list("person", flat=True))
    if not persons:
        return
    with transaction.atomic():
        locked = vtj_data.lock(persons)
        Clientship.objects.filter(pk__in=rows.filter(person__in=ids(locked)).values("pk")).update(awaits_since=None)
