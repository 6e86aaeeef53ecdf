"""Joining a cohort while others are at work leaves no gap: domain.md B8, B9, against a VTJ on a socket."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.models import Person
from tests.engine import world
from tests.engine.truth import differences
from tests.reading.rows import ALL
from vtjsync.engine import basic_data, changes
from vtjsync.engine.connection import Connection
from vtjsync.engine.sync import sync
from vtjsync.models import Cohort, Enrolment
from vtjsync.simulator.server import Handle

pytestmark = pytest.mark.django_db(transaction=True)


def test_b9_who_joins_while_changes_are_asked_for_misses_none(vtj: Handle, tmp_path: Path) -> None:
    world.clients(vtj.codes(20))
    sync("test", wait=0)
    cohort, late = Cohort.objects.get(), vtj.codes(21)[20]
    joined = []

    def meanwhile() -> None:
        """The codes of the request are chosen, it is not sent yet. Another worker fetches somebody, who then moves."""
        if not joined:
            world.clients([late])
            person = Person.objects.get(codes__hetu=late)
            worker = Connection()
            basic_data.fetch(worker, [person.pk], ALL)
            worker.close()
            joined.append(Enrolment.objects.get(person=person).cohort)
            vtj.happen("moved_in_municipality", late)

    run, connection = world.run(), Connection(meanwhile)
    changes.poll(connection, run, cohort.pk)
    connection.close()
    run.close()
    assert joined == [cohort]
    assert sync("test", wait=0).state == "COMPLETE"
    assert differences(vtj, tmp_path) == []
