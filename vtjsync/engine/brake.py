"""The brake: what the silence of basic data would end or clear is decided for the whole run (domain.md B18, E33).

An answer that is silent about what is held leaves it as it is, and a row that names the person and the groups. When
nobody is due any more the run counts the rows: few enough, and those persons are asked once more with the silence
counting; too many, and the rows wait for an administrator. Why so: docs/adr/0008.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from django.db import connection as database
from django.db import transaction
from django.db.models.functions import Now

from registry.models import Person, User
from registry.policies import RUN_SYNC, Access
from registry.record import Group
from registry.services import audit
from registry.services.audit import Action
from registry.sql import ids
from vtjsync.engine.run import BASIS, Run
from vtjsync.models import Brake, Silence, SyncControl
from vtjsync.reading.outcome import Ask

# More than so many and more than such a share: of all bans, and of those answered in the run.
MOST_BANS: Final = 5
SHARE_OF_BANS: Final = 0.01
MOST_CLEARED: Final = 20
SHARE_CLEARED: Final = 0.02

State = Silence.State

_FORGET_OLD: Final = """
    DELETE FROM vtjsync_silence s USING vtjsync_syncrun r WHERE r.id = s.run_id AND (
        (s.state = 'NOTED' AND r.state <> 'RUNNING')
        OR (s.state = 'ALLOWED' AND s.noted_at < clock_timestamp() - interval '1 day'))
"""
_ASK_WHOM_NO_ROW_NAMES: Final = """
    UPDATE registry_person SET ask = %s, ask_not_before = NULL, version = version + 1
    WHERE id IN (SELECT p.id FROM registry_person p WHERE p.ask = %s
        AND NOT EXISTS (SELECT FROM vtjsync_silence s WHERE s.person_id = p.id) ORDER BY p.id FOR UPDATE)
"""
_NOTE: Final = """
    INSERT INTO vtjsync_silence (person_id, run_id, groups, state)
    SELECT person, %s, string_to_array(groups, ' '), 'NOTED'
    FROM unnest(%s::bigint[], %s::text[]) AS noted (person, groups)
"""
_COUNT: Final = """
    SELECT g, count(*) FROM vtjsync_silence s, unnest(s.groups) g WHERE {where} GROUP BY g
"""


class Braked(Exception):
    """So much was held back that an administrator has to decide (domain.md B18)."""


def prepare() -> None:
    """Before a run: what a run noted that is dead counts for nothing, and the persons are asked anew.

    A brake is over when everybody who was held back has been answered since, or is gone. Each step is a transaction:
    elsewhere a person is locked before the row, so nobody may want the person while holding the row.
    """
    with database.cursor() as cursor:
        cursor.execute(_FORGET_OLD)
        with transaction.atomic():
            # Another run may be holding back at this moment.
            _lock()
            if not waits():
                _close(Brake.Decision.ASKED_AGAIN)
        cursor.execute(_ASK_WHOM_NO_ROW_NAMES, [Ask.VALUE, Ask.SILENT])


def allowed(person_ids: Collection[int]) -> dict[int, frozenset[Group]]:
    """The groups whose silence counts, of the persons of whom that was decided."""
    rows = Silence.objects.filter(person__in=ids(person_ids), state=State.ALLOWED)
    return {person: frozenset(map(Group, groups)) for person, groups in rows.values_list("person", "groups")}


def note(run_id: int | None, answered: Collection[int], silent: Mapping[int, frozenset[Group]]) -> None:
    """Puts what an answer was silent about in place of what was noted of these persons before. Outside of a run
    nothing is noted: the person's mark brings them into the next one. In the transaction that stores the answer."""
    forget(answered)
    if run_id is None or not silent:
        return
    groups = [" ".join(sorted(one)) for one in silent.values()]
    with database.cursor() as cursor:
        cursor.execute(_NOTE, [run_id, list(silent), groups])


def forget(person_ids: Collection[int]) -> None:
    """Nothing is noted of these persons any more."""
    Silence.objects.filter(person__in=ids(person_ids)).delete()


def decide(run: Run) -> bool:
    """What the run has noted: held back when it is too much, else allowed. True when there is somebody to ask again."""
    with transaction.atomic():
        _lock()
        counts = count(run.id)
        if not counts:
            return False
        mine = Silence.objects.filter(run=run.id, state=State.NOTED)
        if not waits() and not _too_much(counts, run.counts["received"]):
            return bool(mine.update(state=State.ALLOWED, noted_at=Now()))
        held = mine.update(state=State.HELD)
        if not Brake.objects.filter(decision="").exists():
            Brake.objects.create(run_id=run.id)
        audit.record(Access(None, BASIS), Action.HOLD_BACK, count=held, details={"run": run.id})
    return False


def waits() -> bool:
    """Whether something is held back and waits for an administrator."""
    return Silence.objects.filter(state=State.HELD).exists()


def count(run_id: int | None = None) -> dict[Group, int]:
    """How many persons there are of each group: noted in the run, or without one, held back."""
    where, values = ("s.run_id = %s AND s.state = 'NOTED'", [run_id]) if run_id else ("s.state = 'HELD'", [])
    with database.cursor() as cursor:
        cursor.execute(_COUNT.format(where=where), values)
        return {Group(name): number for name, number in cursor.fetchall()}


def release(access: Access) -> None:
    """Lets the silence count that is held back: the next run asks these persons again and writes what VTJ then says.
    Needs the right to run the sync."""
    _decide(access, Brake.Decision.RELEASED, Action.RELEASE_BRAKE)


def ask_again(access: Access) -> None:
    """Drops what is held back: the next run asks these persons anew, and may brake again. Needs the right to run the
    sync."""
    _decide(access, Brake.Decision.ASKED_AGAIN, Action.ASK_HELD_AGAIN)


def _decide(access: Access, decision: Brake.Decision, action: Action) -> None:
    access.require(RUN_SYNC)
    with transaction.atomic():
        _lock()
        run = _close(decision, access.user)
        if run is None:
            return
        held = Silence.objects.filter(state=State.HELD)
        if decision == Brake.Decision.RELEASED:
            number = held.update(state=State.ALLOWED, noted_at=Now())
        else:
            number, _rows = held.delete()
        audit.record(access, action, count=number, details={"run": run})


def _close(decision: Brake.Decision, by: User | None = None) -> int | None:
    """Decides about what waits; returns the number of the run that had braked."""
    waiting = Brake.objects.filter(decision="")
    run = waiting.values_list("run", flat=True).first()
    waiting.update(decision=decision, decided_at=Now(), decided_by=by)
    return run


def _too_much(counts: Mapping[Group, int], answered: int) -> bool:
    bans = counts.get(Group.BAN, 0)
    if bans > MOST_BANS and bans > SHARE_OF_BANS * Person.objects.filter(protected=True).count():
        return True
    cleared = max((number for group, number in counts.items() if group is not Group.BAN), default=0)
    return cleared > MOST_CLEARED and cleared > SHARE_CLEARED * answered


def _lock() -> None:
    """One decision at a time."""
    SyncControl.objects.get_or_create(pk=True)
    SyncControl.objects.select_for_update().get(pk=True)
