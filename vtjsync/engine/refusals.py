"""Persons whose code VTJ refuses: a problem, asked about again later and later, and in nobody's way (domain.md B16)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import connection as database
from django.db import transaction

from registry.hetu import Hetu
from registry.models import ProblemKind
from registry.services import codes as person_codes
from registry.services import problems, vtj_data
from registry.services.problems import Found
from vtjsync.engine.permit import SENDABLE
from vtjsync.reading.outcome import Ask

# When to ask again about somebody whom VTJ leaves out of its answer, whose data cannot be read, or whose code it
# refuses (domain.md A4, B16).
DELAYS: Final = (
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(days=1),
    timedelta(days=3),
    timedelta(days=7),
    timedelta(days=30),
)

# The last delay comes again and again: VTJ may accept the code one day, and then the problem closes by itself.
_MARK: Final = """
    UPDATE registry_person SET ask = coalesce(nullif(ask, %s), %s), version = version + 1,
        ask_not_before = clock_timestamp() + (%s::interval[])[least(ask_attempts + 1, %s)],
        ask_attempts = least(ask_attempts + 1, %s)
    WHERE id = ANY(%s)
"""


def refused(codes: Collection[Hetu]) -> int:
    """Opens a problem for the persons of the codes. Returns how many were new.

    They leave their cohort: a code that is refused would hold everybody up. When VTJ accepts it they join again with
    new basic data, since nothing was heard of them in between.
    """
    with transaction.atomic(), database.cursor() as cursor:
        persons = vtj_data.lock(set(person_codes.owners(codes).values()))
        last = len(DELAYS)
        cursor.execute(_MARK, [Ask.SILENT, Ask.CODE, list(DELAYS), last, last - 1, persons])
        cursor.execute("DELETE FROM vtjsync_enrolment WHERE person_id = ANY(%s)", [persons])
        return problems.open_problems(Found(person, ProblemKind.CODE_REFUSED) for person in persons)


def known(but: Collection[Hetu]) -> Hetu | None:
    """The code of somebody whom VTJ knows and who is not one of these: to check whether it is a code that VTJ does not
    accept, or the request."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT k.hetu FROM vtjsync_enrolment e JOIN registry_personcode k USING (person_id)"  # noqa: S608
            f" WHERE k.current AND k.hetu <> ALL(%s) AND {SENDABLE} LIMIT 1",
            [list(but), settings.HETU_ALLOW_TEST_CODES],
        )
        row = cursor.fetchone()
    return Hetu(row[0]) if row else None
