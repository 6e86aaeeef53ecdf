"""The values of applied changes go after a number of months, and the fact remains (domain.md G48): that a field
changed, when, and by which run."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Final

from django.conf import settings
from django.db import connection, transaction

from registry.policies import Access
from registry.services import audit
from registry.services.audit import Action

BATCH: Final = 5000

# Rows that somebody is writing are left to the next run: nobody waits, and nobody is waited for while rows are held.
_FORGET: Final = """
    UPDATE registry_appliedchange SET old_value = NULL, new_value = NULL
    WHERE id IN (
        SELECT id FROM registry_appliedchange
        WHERE applied_at < (%s::date - make_interval(months => %s)) AT TIME ZONE 'Europe/Helsinki'
          AND (old_value IS NOT NULL OR new_value IS NOT NULL)
        ORDER BY applied_at, id LIMIT %s FOR UPDATE SKIP LOCKED)
"""


def forget(access: Access, day: date) -> Counter[str]:
    """Empties what was applied APPLIED_CHANGE_MONTHS or more before the Helsinki day, some thousands in a transaction.
    Returns the rows by table."""
    rows = Counter[str]()
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_FORGET, [day, settings.APPLIED_CHANGE_MONTHS, BATCH])
            if not cursor.rowcount:
                return rows
            audit.record(access, Action.FORGET_VALUES, details={"changes": cursor.rowcount})
            rows["registry_appliedchange"] += cursor.rowcount
