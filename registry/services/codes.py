"""The identity codes of persons: one is current, all others find the person still (domain.md D28)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.db import connection

from registry.hetu import Hetu
from registry.models import Person, PersonCode, SubjectCode
from registry.services import audit_keys
from registry.services.audit import code_hash
from registry.services.vtj_data import without_values
from registry.sql import ids, texts


class Taken(Exception):
    """Somebody else of the register has got one of the codes meanwhile. Carries no code."""


def owners(codes: Collection[str]) -> dict[str, int]:
    """The person of each code, current or former, for the codes that the register knows."""
    return dict(PersonCode.objects.filter(hetu__in=texts(codes)).values_list("hetu", "person"))


def current(person_ids: Collection[int]) -> dict[int, Hetu]:
    """The current code of each person."""
    rows = PersonCode.objects.filter(person__in=ids(person_ids), current=True).values_list("person", "hetu")
    return {person: Hetu(hetu) for person, hetu in rows}


def replace_codes(active: Mapping[int, Hetu], former: Mapping[Hetu, int]) -> None:
    """Makes the code in ``active`` each person's current one; the one before stays as a former code, and so do those in
    ``former`` (code to person). The persons' rows are locked by the caller. Raises :class:`Taken`; a person whose code
    went and did not come would never be asked about again.
    """
    added = [(hetu, person, True) for person, hetu in active.items()]
    added += [(hetu, person, False) for hetu, person in former.items()]
    if not added:
        return
    hetus, persons, flags = map(list, zip(*added, strict=True))
    with without_values(), connection.cursor() as cursor:
        PersonCode.objects.filter(person__in=ids(active), current=True).update(current=False)
        cursor.execute(
            "INSERT INTO registry_personcode (hetu, person_id, current)"
            " SELECT * FROM unnest(%s::text[], %s::bigint[], %s::boolean[])"
            " ON CONFLICT (hetu) DO UPDATE SET current = excluded.current"
            " WHERE registry_personcode.person_id = excluded.person_id",
            [hetus, persons, flags],
        )
        if cursor.rowcount < len(added):
            raise Taken
    subjects = dict(Person.objects.filter(id__in=ids(set(persons))).values_list("id", "subject"))
    key = audit_keys.current().id
    SubjectCode.objects.bulk_create(
        [SubjectCode(code_hash=code_hash(hetu), subject=subjects[person], key_id=key) for hetu, person, _ in added],
        ignore_conflicts=True,
    )
