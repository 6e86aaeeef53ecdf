"""The list of clients and its search, as a caseworker of one of two units asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.auth.models import Group as Role
from django.db import connection
from django.utils import timezone

from registry.models import Person, Unit, User
from registry.names import name_key
from registry.policies import Access
from registry.selectors import clients
from tests.bench import bare, register
from tests.bench.harness import median, row

COLUMNS = ("status", "last_name", "first_names", "name_key", "municipality_code", "checked_at", "basic_data_at")
FIELDS = "SELECT id, subject, last_name, first_names, municipality_code FROM registry_person"
NEXT = "ORDER BY name_key, id LIMIT 51"
AFTER = f"{FIELDS} WHERE (name_key, id) > (%s, %s) {NEXT}"
FOUND = f"{FIELDS} WHERE to_tsvector('simple', coalesce(name_key, '')) @@ to_tsquery('simple', %s) {NEXT}"
OF_CODE = f"{FIELDS} WHERE id = (SELECT person_id FROM registry_personcode WHERE hetu = %s)"  # noqa: S608
EVENT = """
    INSERT INTO registry_auditevent (action, username, subjects, count, basis, origin, outcome, details)
    VALUES ('LIST', 'aino', %s, 50, 'bench', '', 'done', '{}')
"""


def measure(size: int) -> None:
    """A row for each question."""
    codes = register.clients(size, register.set_up())
    bare.write(COLUMNS, _named(size))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    user = User.objects.create(username="aino")
    user.groups.set(Role.objects.filter(name="caseworker"))
    user.units.set(Unit.objects.filter(code="A"))
    access = Access(user, "bench")
    middle = Person.objects.order_by("name_key", "pk")[size // 2]
    common, rare = _beginnings()
    for what, ours, sql, *values in (
        ("the list's first page", lambda: clients.listed(access), f"{FIELDS} {NEXT}"),
        (
            "a page farther on",
            lambda: clients.listed(access, after=middle.subject),
            AFTER,
            middle.name_key,
            middle.pk,
        ),
        ("search by one letter", lambda: clients.named(access, "a"), FOUND, "a:*"),
        ("search by a common name", lambda: clients.named(access, common), FOUND, _query(common)),
        ("search by two beginnings", lambda: clients.named(access, rare), FOUND, _query(rare)),
        ("search by an identity code", lambda: clients.coded(access, codes[0]), OF_CODE, codes[0]),
    ):
        row(what, f"{size:,} persons", median(ours), "one SELECT, and the event", median(_plainly(sql, values)))


def _named(count: int) -> Iterator[tuple[Any, ...]]:
    """Everybody's name and municipality, as the simulated VTJ would tell them."""
    people, now = register.people(count), timezone.now()
    for number in range(count):
        one = people.person(number)
        town = one.towns[-1].code if one.towns else None
        key = name_key(one.last_name, one.first_names)
        yield one.code, "CURRENT", one.last_name, one.first_names, key, town, now, now


def _beginnings() -> tuple[str, str]:
    """A name that many have, and the beginnings of two that few have together."""
    person = Person.objects.exclude(last_name=None).order_by("pk")[7]
    return str(person.first_names).split()[0], f"{str(person.last_name)[:3]} {str(person.first_names)[:3]}"


def _query(words: str) -> str:
    return " & ".join(f"{part}:*" for part in name_key(words).split())


def _plainly(sql: str, values: list[Any]) -> Callable[[], None]:
    """The question without rights, signs and services, and its event in the log."""

    def select() -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            cursor.execute(EVENT, [[subject for _, subject, *_ in cursor.fetchall()]])

    return select
