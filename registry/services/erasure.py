"""Erasure at the end of the purpose (domain.md F42-F45): by the due run, the day after the last clientship's end.

Everything that hangs on a person goes: every table with a reference to the person is found by the models themselves,
so that a table added later is not forgotten. A receipt stays, in the database and in a ledger outside of it. While the
register is locked after a restore nothing is erased: an end in the backup may have been taken back since.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import ForeignObjectRel
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from registry import lock, ports
from registry.clock import today
from registry.hetu import Hetu
from registry.models import Clientship, ErasureHold, ErasureReceipt, Person, PersonCode, User
from registry.policies import CONFIRM_ERASURE, Access
from registry.services import (
    audit,
    awaited,
    bans,
    import_lines,
    old_values,
    problems,
    receipts,
    uncovered,
    vtj_data,
)
from registry.services.audit import Action, code_hash
from registry.services.errors import Refused
from registry.sql import ids

BATCH: Final = 1000
HOLD_PERSONS: Final = 50
HOLD_SHARE: Final = 0.01

# A clientship o still counts on a day: it is open or to come, or its end was entered on that very day, since a past end
# is due on the next day. Takes the day twice.
_COUNTS: Final = '(o."end" IS NULL OR o."end" >= %s OR (o.ended_at AT TIME ZONE \'Europe/Helsinki\')::date >= %s)'
# Nobody needs to know the person any more (takes the day twice).
_PERSON_DUE: Final = f"NOT EXISTS (SELECT FROM registry_clientship o WHERE o.person_id = p.id AND {_COUNTS})"
# The person stays, and this clientship c ended long enough ago (takes the day thrice, and the last end that is due).
_CLIENTSHIP_DUE: Final = (
    f"EXISTS (SELECT FROM registry_clientship o WHERE o.person_id = c.person_id AND {_COUNTS})"
    " AND coalesce((c.ended_at AT TIME ZONE 'Europe/Helsinki')::date < %s, true) AND c.\"end\" <= %s"
)
# A receipt is a little older than its commit.
_ERASED_SINCE_SAMPLED: Final = """
    SELECT EXISTS (SELECT FROM registry_erasurereceipt WHERE erased_at + interval '10 minutes' > (
        SELECT min(coalesce(greatest(last_analyze, last_autoanalyze), '-infinity'))
        FROM pg_stat_user_tables WHERE relname = ANY(%s)))
"""


@dataclass(frozen=True, slots=True)
class Due:
    """How many persons, and clientships of persons who stay, are due for erasure."""

    persons: int
    clientships: int


@dataclass
class Report:
    """What a run erased: rows by table. ``held``: so many were due that a second person has to confirm it first;
    ``locked``: the register is locked after a restore."""

    persons: int = 0
    clientships: int = 0
    held: int = 0
    locked: bool = False
    rows: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        if self.locked:
            return "nothing was erased: the register is locked after a restore"
        if self.held:
            return f"{self.held} persons are due for erasure: so many wait for a second person's confirmation"
        return f"{self.persons} persons and {self.clientships} ended clientships of persons who stay were erased"


def erased_on(end: date, entered: date) -> date:
    """The day on which a person is erased whose last clientship has this end, entered on that day (domain.md F43): a
    past end is due on the next day."""
    return max(end, entered) + timedelta(days=1)


def clientship_erased_on(end: date, entered: date) -> date:
    """The same of an ended clientship of a person who stays (domain.md F43)."""
    return max(end + _kept(), entered + timedelta(days=1))


def count_rows(person_id: int) -> dict[str, int]:
    """How many rows of which table the erasure of the person would delete; tables without any are left out."""
    counts = {"registry_person": 1}
    with connection.cursor() as cursor:
        for table, column in _references():
            cursor.execute(f'SELECT count(*) FROM "{table}" WHERE "{column}" = %s', [person_id])  # noqa: S608
            counts[table] = counts.get(table, 0) + cursor.fetchone()[0]
    return {table: count for table, count in counts.items() if count}


def due(day: date) -> Due:
    """What the run of the Helsinki day would erase."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM registry_person p WHERE {_PERSON_DUE}", [day, day])  # noqa: S608
        persons = cursor.fetchone()[0]
        sql = f"SELECT count(*) FROM registry_clientship c WHERE {_CLIENTSHIP_DUE}"  # noqa: S608
        cursor.execute(sql, _clientship_values(day))
        return Due(persons, cursor.fetchone()[0])


def run(access: Access, day: date) -> Report:
    """Erases what is due on the Helsinki day, a thousand persons in a transaction. What a crash leaves is due still.

    Raises OSError when the ledger cannot be written; then nobody is erased, or nobody else.
    """
    if lock.is_locked():
        return Report(locked=True)
    receipts.write_waiting()
    awaited.begin(day)
    report = Report(held=_held_back(day), rows=uncovered.erase(access, day) + old_values.forget(access, day))
    if not report.held:
        while batch := _due_persons(day):
            with transaction.atomic():
                locked = vtj_data.lock({*batch, *_other_entries(batch)})
                if still := _due_persons(day, among=locked):
                    gone = _erase(access, still)
                    receipts.keep(gone)
                    report.rows += sum((Counter(one.rows) for one in gone), Counter())
                    report.persons += len(still)
        report.clientships = _erase_clientships(access, day)
        report.rows["registry_clientship"] += report.clientships
        ErasureHold.objects.filter(done_at=None).update(done_at=Now())
    if report.persons or report.clientships:
        lock.mark()
    _sample_anew(erased=bool(+report.rows))
    return report


def erase_now(access: Access, person_id: int) -> None:
    """Erases one person at once, who was added by mistake (domain.md H55). For use as the last act of a transaction
    that has locked the person."""
    receipts.keep_or_wait(_erase(access, [person_id]))
    lock.mark()


def erase_clientship_now(access: Access, clientship: Clientship) -> None:
    """The same of one clientship of a person who stays."""
    clientship.delete()
    with connection.cursor() as cursor:
        bans.tidy(cursor, [clientship.person_id])
    gone = [(clientship.person_id, clientship.service.code, clientship.start)]
    receipts.keep_or_wait(_clientships_erased(access, gone))
    lock.mark()


def erase_again(access: Access, person_ids: Collection[int]) -> int:
    """Erases persons who are back from a backup, in the caller's transaction and without another receipt. Returns how
    many were still there."""
    locked = set(vtj_data.lock({*person_ids, *_other_entries(list(person_ids))}))
    still = sorted(locked.intersection(person_ids))
    if still:
        _erase(access, still)
    return len(still)


def is_due(told: Sequence[Mapping[str, Any]]) -> bool:
    """Whether all that these receipts of the ledger tell of is here and due for erasure today."""
    day = today()
    whole = [UUID(one["subject"]) for one in told if one["whole_person"]]
    parts = [one for one in told if not one["whole_person"]]
    subjects = [UUID(one["subject"]) for one in parts]
    services, starts = [one["services"][0] for one in parts], [one["clientship_start"] for one in parts]
    with connection.cursor() as cursor:
        sql = f"SELECT count(*) FROM registry_person p WHERE p.subject = ANY(%s) AND {_PERSON_DUE}"  # noqa: S608
        cursor.execute(sql, [whole, day, day])
        persons = cursor.fetchone()[0]
        cursor.execute(
            "SELECT count(*) FROM unnest(%s::uuid[], %s::text[], %s::date[]) AS told (subject, service, start)"  # noqa: S608
            " JOIN registry_person p USING (subject) JOIN registry_service s ON s.code = told.service"
            " JOIN registry_clientship c ON c.person_id = p.id AND c.service_id = s.id AND c.start = told.start"
            f" WHERE {_CLIENTSHIP_DUE}",
            [subjects, services, starts, *_clientship_values(day)],
        )
        return bool(persons == len(whole) and cursor.fetchone()[0] == len(parts))


def held() -> ErasureHold | None:
    """The erasure that waits for a second person's confirmation."""
    return ErasureHold.objects.filter(done_at=None, confirmed_at=None).first()


def confirm(access: Access, *, persons: int) -> None:
    """Lets the erasure that waits be done by the next due run. ``persons`` is the number that was looked at: with
    another one waiting nothing is confirmed. Raises PermissionDenied and Refused."""
    access.require(CONFIRM_ERASURE)
    with transaction.atomic():
        waiting = ErasureHold.objects.select_for_update().filter(done_at=None).first()
        if waiting is None or waiting.persons != persons:
            raise Refused(_("Something has changed since you opened the page. Look at the number again."))
        if access.user is not None and _entered_by(access.user):
            raise Refused(_("You entered some of these ends yourself: somebody else has to confirm the erasure."))
        if waiting.confirmed_at is None:
            waiting.confirmed_at, waiting.confirmed_by = Now(), access.user
            waiting.save(update_fields=["confirmed_at", "confirmed_by"])
            audit.record(access, Action.CONFIRM_ERASURE, count=waiting.persons)


def _entered_by(user: User) -> bool:
    """Whether the user entered an end for which somebody is due: then they are not the second person (domain.md F43).
    Of an end from an imported list nobody knows."""
    day = today()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM registry_clientship c JOIN registry_person p ON p.id = c.person_id"  # noqa: S608
            f" WHERE c.ended_by_id = %s AND {_PERSON_DUE})",
            [user.pk, day, day],
        )
        return bool(cursor.fetchone()[0])


def _held_back(day: date) -> int:
    """How many persons wait for a confirmation; 0 when the run may go on (domain.md F43)."""
    with transaction.atomic():
        persons = due(day).persons
        if persons <= HOLD_PERSONS or persons <= HOLD_SHARE * Person.objects.count():
            return 0
        hold = ErasureHold.objects.select_for_update().filter(done_at=None).first()
        if hold is None:
            ErasureHold.objects.create(day=day, persons=persons)
            return persons
        if hold.confirmed_at is not None and persons <= hold.persons:
            return 0
        # More than what was confirmed: that is another question.
        hold.day, hold.persons, hold.confirmed_at, hold.confirmed_by = day, persons, None, None
        hold.save()
        return persons


def _due_persons(day: date, among: Collection[int] | None = None) -> list[int]:
    where: str = _PERSON_DUE
    values: list[date | list[int]] = [day, day]
    if among is not None:
        where, values = f"{where} AND p.id = ANY(%s)", [day, day, list(among)]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT p.id FROM registry_person p WHERE {where} ORDER BY p.id LIMIT {BATCH}", values)  # noqa: S608
        return [person for (person,) in cursor.fetchall()]


def remove(person_ids: Sequence[int]) -> dict[int, Counter[str]]:
    """Deletes the persons, whose rows are locked, with everything that refers to them, and says how many rows of which
    table. Lists that wait to be imported lose the lines that name them (F43). A receipt is the caller's to write, or
    not: of somebody who is merged nothing was erased (domain.md D30)."""
    import_lines.take_out(PersonCode.objects.filter(person__in=ids(person_ids)).values_list("hetu", flat=True))
    rows: dict[int, Counter[str]] = {person: Counter() for person in person_ids}
    with connection.cursor() as cursor:
        for table, column in _references():
            sql = f'DELETE FROM "{table}" WHERE "{column}" = ANY(%s) RETURNING "{column}"'  # noqa: S608
            cursor.execute(sql, [list(person_ids)])
            for (person,) in cursor.fetchall():
                rows[person][table] += 1
        cursor.execute("DELETE FROM registry_person WHERE id = ANY(%s) RETURNING id", [list(person_ids)])
        for (person,) in cursor.fetchall():
            rows[person]["registry_person"] += 1
    return rows


def _erase(access: Access, person_ids: Sequence[int]) -> list[ErasureReceipt]:
    """Erases the persons, whose rows are locked, with everything that refers to them. Returns the receipts, for the
    caller to keep.

    Who was taken for the same person as one of them (domain.md D30) is asked about: the code may now be theirs.
    """
    ports.source().ask_again(list(_other_entries(person_ids)))
    hashes = _code_hashes(person_ids)
    services: dict[int, list[str]] = {}
    used = Clientship.objects.filter(person__in=ids(person_ids)).order_by("service__code")
    for person, service in used.values_list("person", "service__code").distinct():
        services.setdefault(person, []).append(service)
    subjects = dict(Person.objects.filter(id__in=ids(person_ids)).values_list("id", "subject"))
    rows = remove(person_ids)
    audit.record(access, Action.ERASE, subjects=subjects.values())
    return [
        ErasureReceipt(
            subject=subjects[person],
            code_hashes=hashes.get(person, []),
            services=services.get(person, []),
            whole_person=True,
            rows=dict(rows[person]),
        )
        for person in person_ids
    ]


def _erase_clientships(access: Access, day: date) -> int:
    """Erases clientships that ended long ago, of persons who stay."""
    erased = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"SELECT DISTINCT c.person_id FROM registry_clientship c WHERE {_CLIENTSHIP_DUE} LIMIT {BATCH}",  # noqa: S608
                _clientship_values(day),
            )
            persons = vtj_data.lock([person for (person,) in cursor.fetchall()])
            if not persons:
                return erased
            cursor.execute(
                f"DELETE FROM registry_clientship c USING registry_service s WHERE {_CLIENTSHIP_DUE}"  # noqa: S608
                " AND c.person_id = ANY(%s) AND s.id = c.service_id RETURNING c.person_id, s.code, c.start",
                [*_clientship_values(day), persons],
            )
            gone = cursor.fetchall()
            bans.tidy(cursor, persons)
            receipts.keep(_clientships_erased(access, gone))
            erased += len(gone)


def _clientships_erased(access: Access, gone: Sequence[tuple[int, str, date]]) -> list[ErasureReceipt]:
    """The event, and the receipts for the caller to keep, of clientships that were erased: the person, who stays, the
    service's code, and the first day."""
    persons = {person for person, _, _ in gone}
    hashes = _code_hashes(persons)
    subjects = dict(Person.objects.filter(id__in=ids(persons)).values_list("id", "subject"))
    if gone:
        audit.record(access, Action.ERASE, subjects=subjects.values(), details={"clientships": len(gone)})
    return [
        ErasureReceipt(
            subject=subjects[person],
            code_hashes=hashes.get(person, []),
            services=[service],
            whole_person=False,
            clientship_start=start,
            rows={"registry_clientship": 1},
        )
        for person, service, start in gone
    ]


def _other_entries(person_ids: Sequence[int]) -> set[int]:
    return problems.pairs(person_ids).keys() - set(person_ids)


def _sample_anew(*, erased: bool) -> None:
    """Lets the planner forget what has gone: ANALYZE keeps samples of codes and names (pg_statistic), and by itself
    would not look again before much has changed. Mistakes since the last time (domain.md H55) count too."""
    tables = sorted({"registry_person", *(table for table, _ in _references())})
    with connection.cursor() as cursor:
        cursor.execute(_ERASED_SINCE_SAMPLED, [tables])
        if erased or cursor.fetchone()[0]:
            cursor.execute("SELECT registry_sample_anew(%s)", [tables])


def _code_hashes(person_ids: Collection[int]) -> dict[int, list[bytes]]:
    hashes: dict[int, list[bytes]] = {}
    rows = PersonCode.objects.filter(person__in=ids(person_ids)).values_list("person", "hetu")
    for person, hetu in rows:
        hashes.setdefault(person, []).append(code_hash(Hetu(hetu)))
    return hashes


def _references() -> list[tuple[str, str]]:
    """Every table and column that refers to a person."""
    relations = Person._meta.get_fields(include_hidden=True)
    fields = [one.field for one in relations if isinstance(one, ForeignObjectRel)]
    return sorted((one.model._meta.db_table, str(one.column)) for one in fields)


def _clientship_values(day: date) -> list[date]:
    return [day, day, day, day - _kept()]


def _kept() -> timedelta:
    """How long an ended clientship is kept; its last day is a client's day whatever the setting."""
    return timedelta(days=max(settings.ENDED_CLIENTSHIP_DAYS, 1))
