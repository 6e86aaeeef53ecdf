"""A dump of the database holds no place of somebody whose ban began (domain.md E34)."""

from __future__ import annotations

import pytest
from django.db import connection

from registry.models import AppliedChange, Person
from tests.engine import world
from tests.engine.conftest import Start
from vtjsync.engine.sync import sync
from vtjsync.simulator.server import Handle

pytestmark = pytest.mark.django_db(transaction=True)


def tables_that_hold(words: set[str]) -> set[str]:
    """The tables of the whole database in which a row, written out as in a dump, has one of the words."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'public'")
        found = set()
        for (table,) in cursor.fetchall():
            sql = f"SELECT EXISTS (SELECT FROM {table} t WHERE t::text LIKE ANY(%s))"  # noqa: S608
            cursor.execute(sql, [[f"%{word}%" for word in words]])
            if cursor.fetchone()[0]:
                found.add(table)
    return found


def streets(vtj: Handle, code: str) -> set[str]:
    (true,) = vtj.truth([code])
    home = true["vakinainen_kotimainen_osoite"]
    assert home is not None
    return {name for name in home["katunimi"].values() if name}


@pytest.mark.parametrize("start", ["ban_started_censored", "ban_started_alone", "ban_started_with_move"])
def test_e34_no_street_of_the_person_is_left_in_any_table(start_vtj: Start, start: str) -> None:
    vtj = start_vtj(population=80, unique_streets=True, seed=4, activity=0.01)
    world.clients(vtj.codes(80))
    code = vtj.happen("moved_in_municipality")
    before = streets(vtj, code)
    sync("test", wait=0)
    known = set(before)
    for _ in range(2):
        vtj.advance(3)
        vtj.happen("moved_in_municipality", code)
        known |= streets(vtj, code)
        sync("test", wait=0)
    assert tables_that_hold(known) == {"public.registry_person", "public.registry_appliedchange"}
    vtj.advance(3)
    vtj.happen("moved_in_municipality", code)
    known |= streets(vtj, code)
    vtj.advance(3)
    vtj.happen(start, code)
    sync("test", wait=0)
    assert Person.objects.get(codes__hetu=code).protected
    assert len(known) > 3
    assert tables_that_hold(known) == set()
    assert AppliedChange.objects.filter(person__codes__hetu=code, field="protected").exists()
