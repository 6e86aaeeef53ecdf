"""Reading what is held of persons, beside others who write (domain.md E36)."""

from __future__ import annotations

import pytest
from django.db import connection

from registry.models import ForeignAddress, Person
from registry.services import vtj_data
from tests.factories import ForeignAddressFactory, PersonFactory

pytestmark = pytest.mark.django_db


def test_e36_who_comes_under_a_ban_between_two_statements_of_a_reader_has_no_place() -> None:
    person = PersonFactory.create(home=True)
    ForeignAddressFactory.create(person=person)
    begun = []

    def ban_begins(execute: object, sql: str, params: object, many: bool, context: object) -> object:
        """Another worker writes when the addresses abroad have been read and the person has not."""
        if "FROM registry_person " in sql and not begun:
            begun.append(sql)
            ForeignAddress.objects.all().delete()
            empty = dict.fromkeys(name for name in vtj_data.COLUMNS if name.startswith(("home_", "municipality_")))
            Person.objects.update(protected=True, **empty)
        return execute(sql, params, many, context)  # type: ignore[operator]

    with connection.execute_wrapper(ban_begins):
        record = vtj_data.read([person.pk])[person.pk].record
    assert record.protected
    assert not record.has_location
