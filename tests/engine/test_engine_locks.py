"""Persons are locked in the order of their ids, whatever the reason, so that no two wait for each other (A6, B10)."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from django.db import connection, transaction

from registry.models import Person
from registry.services import vtj_data
from tests.engine import world
from tests.engine.world import apply_page, client, entry
from tests.reading.rows import name
from vtjsync.engine import due

pytestmark = pytest.mark.django_db(transaction=True)


def beside_others(act: Callable[[], object], first: Person, second: Person) -> None:
    """Does it while another worker, who holds the first person, goes on to the second."""
    # Updated, the first one's row lies behind the other's, where a scan of the table meets it later.
    Person.objects.filter(pk=first.pk).update(recheck_on=date(2026, 1, 1))

    def alone() -> None:
        try:
            act()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            vtj_data.lock([first.pk])
            waiting = pool.submit(alone)
            time.sleep(0.5)
            vtj_data.lock([second.pk])
        waiting.result()


def test_c21_marking_those_of_whom_a_day_has_come() -> None:
    first, second = client(), client()
    Person.objects.update(recheck_on=date(2026, 1, 1))
    beside_others(lambda: due.mark_rechecks(date(2026, 1, 1)), first, second)
    assert Person.objects.filter(ask="VALUE").count() == 2


def test_b14_asking_a_whole_cohort() -> None:
    cohort, run = world.cohort(), world.run()
    first, second = client(into=cohort), client(into=cohort)
    beside_others(lambda: apply_page(run, cohort, entry(second, name("LISATTY")), broken=1), first, second)
    assert Person.objects.filter(ask="UNREADABLE", location_hidden=True).count() == 2
