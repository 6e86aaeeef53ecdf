"""Persons come into the register here and nowhere else, many at a time (domain.md A3, A6, D28)."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

from registry.hetu import Hetu
from registry.models import Person
from registry.services import audit_keys
from registry.services import codes as person_codes
from registry.services.audit import code_hash
from registry.services.vtj_data import without_values
from registry.sql import ids

_INSERT_PERSONS = """
    INSERT INTO registry_person (subject, status, name_key, deceased, protected, reveal_awaited, location_hidden,
                                 version, ask_urgent, ask_attempts)
    SELECT gen_random_uuid(), 'AWAITING', '', false, false, false, false, 0, false, 0 FROM generate_series(1, %s)
    RETURNING id, subject
"""
_INSERT_CODES = """
    INSERT INTO registry_personcode (hetu, person_id, current)
    SELECT hetu, person, true FROM unnest(%s::text[], %s::bigint[]) AS new (hetu, person)
    ON CONFLICT (hetu) DO NOTHING RETURNING hetu
"""
_INSERT_SUBJECTS = """
    INSERT INTO registry_subjectcode (code_hash, subject, key_id)
    SELECT code_hash, subject, %s FROM unnest(%s::bytea[], %s::uuid[]) AS new (code_hash, subject)
    ON CONFLICT DO NOTHING
"""


def find_or_create(codes: Collection[Hetu]) -> dict[Hetu, int]:
    """The person of each code, by any of their codes; who is new awaits basic data.

    For use inside a transaction. Of two that add the same code at once, one waits for the other and takes its person.
    """
    found = find(codes)
    new = [code for code in dict.fromkeys(codes) if code not in found]
    if not new:
        return found
    with without_values(), connection.cursor() as cursor:
        cursor.execute(_INSERT_PERSONS, [len(new)])
        made = dict(zip(new, cursor.fetchall(), strict=True))
        cursor.execute(_INSERT_CODES, [new, [person for person, _ in made.values()]])
        ours = {hetu for (hetu,) in cursor.fetchall()}
        added = {code: one for code, one in made.items() if code in ours}
        subjects = [subject for _, subject in added.values()]
        hashes = [code_hash(code) for code in added]
        cursor.execute(_INSERT_SUBJECTS, [audit_keys.current().id, hashes, subjects])
    taken = [code for code in new if code not in ours]
    Person.objects.filter(id__in=ids(made[code][0] for code in taken)).delete()
    # Whoever took them may have been erased already: then they are new once more.
    return found | {code: person for code, (person, _) in added.items()} | (find_or_create(taken) if taken else {})


def find(codes: Collection[Hetu]) -> dict[Hetu, int]:
    """The person of each code, current or former, for the codes that the register knows (domain.md D28)."""
    return {Hetu(code): person for code, person in person_codes.owners(codes).items()} if codes else {}
