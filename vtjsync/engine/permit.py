"""The permit in force, and who is on the list (domain.md A1, A2)."""

from __future__ import annotations

from datetime import date
from typing import Final

from django.db import connection as database
from django.db import transaction

from registry.clock import today
from registry.models import DataPermit
from registry.policies import Access
from registry.record import Group
from registry.services import audit
from registry.services.audit import Action
from vtjsync.engine.run import BASIS
from vtjsync.models import SyncControl
from vtjsync.reading.outcome import Ask


class NoPermit(Exception):
    """No permit is in force: nobody is asked (domain.md A2)."""


# A person p is on the list: an open clientship on the Helsinki day (domain.md A1). Takes the day twice.
ON_THE_LIST: Final = (
    "EXISTS (SELECT FROM registry_clientship c WHERE c.person_id = p.id AND c.start <= %s"
    ' AND (c."end" IS NULL OR c."end" >= %s))'
)

# A code k may be sent: a test code where the setting is that there are test codes, and no other there (domain.md A7).
# Takes the setting. It keeps real codes out of VTJ's test environment when a register is moved there, and the reverse.
SENDABLE: Final = "(substr(k.hetu, 8, 1) = '9') = %s"

_ASK_EVERYBODY: Final = """
    UPDATE registry_person SET ask = %s, ask_urgent = false, ask_not_before = NULL, ask_attempts = 0,
        version = version + 1
    WHERE id IN (SELECT p.id FROM registry_person p WHERE p.ask = %s OR (p.ask IS NULL
        AND EXISTS (SELECT FROM vtjsync_enrolment e WHERE e.person_id = p.id)) ORDER BY p.id FOR UPDATE)
"""


def granted(day: date) -> frozenset[Group]:
    """The product's groups that the permit of the Helsinki day grants. Raises :class:`NoPermit`."""
    for permit in DataPermit.objects.all():
        if permit.in_force(day):
            return frozenset(Group(name) for name in permit.groups if name in set(Group))
    raise NoPermit


def follow() -> None:
    """Has everybody asked again when the permit's groups are others than those that the data was asked with before: the
    feed tells changes only, and nothing of what a new group held all along (domain.md C24). Raises :class:`NoPermit`.

    Those of whom something is held back are asked too, and that is over with their answers: the permit has been put
    right, or what was missing is not granted any more.
    """
    groups = sorted(granted(today()))
    with transaction.atomic(), database.cursor() as cursor:
        SyncControl.objects.get_or_create(pk=True)
        control = SyncControl.objects.select_for_update().get(pk=True)
        if control.granted == groups:
            return
        if control.granted is not None:
            cursor.execute(_ASK_EVERYBODY, [Ask.PERMIT, Ask.SILENT])
            details = {"groups": " ".join(groups)}
            audit.record(Access(None, BASIS), Action.FOLLOW_PERMIT, count=cursor.rowcount, details=details)
        control.granted = groups
        control.save(update_fields=["granted"])
