"""The list of clients and its search: order, pages, who is in it, and its events."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from registry.models import AuditEvent, DataPermit, Person, PersonCode, Service, User
from registry.names import name_key
from registry.selectors import clients
from registry.selectors.clients import PAGE, ClientRow
from registry.selectors.signs import Sign
from tests.cast import access
from tests.factories import ClientshipFactory, PersonFactory, ProblemFactory, code_of, new_code

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("permit")]


def client(service: Service, last_name: str | None = "Virtanen", first_names: str = "Aino", **more: object) -> Person:
    person = PersonFactory.create(last_name=last_name, first_names=first_names, **more)
    ClientshipFactory.create(person=person, service=service)
    return person


def names(page: clients.Page) -> list[str]:
    return [row.name for row in page.rows]


def only(page: clients.Page) -> ClientRow:
    (row,) = page.rows
    return row


def test_the_list_is_in_finnish_order(service_a: Service, aino: User) -> None:
    for name in ("Öhman", "Zetterberg", "Äyräs", "Åkerblom", "Aho"):
        client(service_a, name)
    assert [name.split(",")[0] for name in names(clients.listed(access(aino)))] == [
        "Aho",
        "Zetterberg",
        "Åkerblom",
        "Äyräs",
        "Öhman",
    ]


@pytest.mark.parametrize(
    "words", ["vir", "Virtanen", "äy", "ä", "v e", "ÄYRÄS", "eeva", "liisa", "eeva-liisa virt", "liisa äyr", "o'ne"]
)
def test_the_beginning_of_any_part_finds(service_a: Service, aino: User, words: str) -> None:
    client(service_a, "Virtanen-Äyräs O'Neill", "Eeva-Liisa")
    client(service_a, "Korhonen", "Pertti")
    assert len(clients.named(access(aino), words).rows) == 1


@pytest.mark.parametrize("words", ["irtanen", "ay", "virtanen pertti", "z", "zz", "|", "vir & kor", "''"])
def test_what_is_not_the_beginning_of_a_part_finds_nobody(service_a: Service, aino: User, words: str) -> None:
    client(service_a, "Virtanen", "Eeva-Liisa")
    client(service_a, "Äyräs", "Pertti")
    assert clients.named(access(aino), words).rows == ()


@pytest.mark.parametrize("words", ["z", "ze", "z f", "fritz", "pizz", "zetterberg frit"])
def test_z_is_a_letter_of_its_own(service_a: Service, aino: User, words: str) -> None:
    client(service_a, "Zetterberg-Pizzala", "Fritz")
    client(service_a, "Öhman", "Fritzä")
    assert names(clients.named(access(aino), words)) == ["Zetterberg-Pizzala, Fritz"]


def test_d31_a_former_code_finds_and_does_not_say_so(service_a: Service, aino: User) -> None:
    person = client(service_a)
    former = new_code()
    PersonCode.objects.create(person=person, hetu=former, current=False)
    assert clients.coded(access(aino), former) == clients.coded(access(aino), code_of(person))
    assert only(clients.coded(access(aino), former)).subject == person.subject


def test_h52_only_clients_of_ones_own_units(service_a: Service, service_b: Service, aino: User, celia: User) -> None:
    person = client(service_a, "Virtanen")
    client(service_b, "Korhonen")
    assert names(clients.listed(access(aino))) == ["Virtanen, Aino"]
    assert names(clients.named(access(celia), "vir")) == []
    assert clients.coded(access(celia), code_of(person)).rows == ()


def test_e38_protected_clients_are_in_handlers_lists_only(service_a: Service, aino: User, daniel: User) -> None:
    person = client(service_a, protected=True)
    code = code_of(person)
    for found in (clients.listed(access(aino)), clients.named(access(aino), "vir"), clients.coded(access(aino), code)):
        assert found.rows == ()
    row = only(clients.named(access(daniel), "vir"))
    assert (row.signs, row.municipality) == ((Sign.PROTECTED,), "")


def test_pages_go_on_and_come_back(service_a: Service, aino: User) -> None:
    for number in range(PAGE * 2 + 10):
        # Namesakes too: the id settles their order.
        client(service_a, f"Aho{number // 3:03d}")
    first = clients.listed(access(aino))
    second = clients.listed(access(aino), after=first.after)
    third = clients.listed(access(aino), after=second.after)
    assert [len(page.rows) for page in (first, second, third)] == [PAGE, PAGE, 10]
    assert len({row.subject for page in (first, second, third) for row in page.rows}) == PAGE * 2 + 10
    assert (first.before, third.after) == (None, None)
    back = clients.listed(access(aino), before=third.before)
    assert back.rows == second.rows
    start = clients.listed(access(aino), before=back.before)
    assert (start.rows, start.before) == (first.rows, None)


def test_a_page_after_somebody_who_is_gone_begins_at_the_start(service_a: Service, aino: User) -> None:
    client(service_a)
    assert len(clients.listed(access(aino), after=new_subject()).rows) == 1


def new_subject() -> object:
    return Person().subject


def test_the_signs_tell_what_a_caseworker_has_to_know(service_a: Service, aino: User) -> None:
    client(service_a, "Ahola", deceased=True)
    PersonFactory.create(awaiting=True)
    person = PersonFactory.create(awaiting=True, name_key="")
    ClientshipFactory.create(person=person, service=service_a)
    client(service_a, "Bergh", checked_at=timezone.now() - timedelta(hours=40), home=True)
    client(service_a, "Caselius", checked_at=timezone.now() - timedelta(days=8), home=True)
    client(service_a, "Donner", status="NOT_FOUND", checked_at=timezone.now() - timedelta(hours=40), home=True)
    ProblemFactory.create(person=client(service_a, "Ek"), kind="NAME_MISMATCH")
    found = {row.name: (row.signs, row.municipality) for row in clients.listed(access(aino)).rows[:5]}
    assert found == {
        "": ((Sign.AWAITING,), ""),
        "Ahola, Aino": ((Sign.DECEASED,), ""),
        "Bergh, Aino": ((Sign.UNCONFIRMED,), "Helsinki"),
        "Caselius, Aino": ((Sign.UNCONFIRMED,), ""),
        "Donner, Aino": ((Sign.NOT_FOUND, Sign.UNCONFIRMED), "Helsinki"),
    }
    assert clients.listed(access(aino)).rows[5].signs == (Sign.PROBLEM,)


def test_a_name_that_may_be_somebody_elses_is_neither_shown_nor_found(service_a: Service, aino: User) -> None:
    ProblemFactory.create(person=client(service_a, home=True), kind="NAME_MISMATCH")
    row = only(clients.listed(access(aino)))
    assert (row.name, row.municipality) == ("", "")
    assert clients.named(access(aino), "virtanen").rows == ()


@pytest.mark.parametrize("act", ["LIST", "SEARCH"])
def test_g46_one_event_names_who_was_shown(service_a: Service, aino: User, act: str) -> None:
    person = client(service_a)
    if act == "LIST":
        clients.listed(access(aino))
    else:
        clients.named(access(aino), "vir")
    event = AuditEvent.objects.get()
    assert (event.action, event.subjects, event.count) == (act, [person.subject], 1)
    assert (event.username, event.basis, event.origin) == ("aino", "test", "127.0.0.1")


def test_ended_services_are_not_listed(service_a: Service, aino: User) -> None:
    person = client(service_a)
    ClientshipFactory.create(person=person, service__unit=service_a.unit, end=date(2024, 1, 1))
    assert only(clients.listed(access(aino))).services == (service_a.name,)


def test_the_number_of_queries_does_not_grow(
    service_a: Service, aino: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(3):
        client(service_a, f"Aho{number}", home=True)
    # User, rights, those added, the page, clientships, problems, confirmations, the permit, codes, the event.
    with django_assert_num_queries(10):
        assert len(clients.listed(access(User.objects.get(pk=aino.pk))).rows) == 3
    for number in range(30):
        client(service_a, f"Berg{number}", home=True)
    with django_assert_num_queries(10):
        assert len(clients.listed(access(User.objects.get(pk=aino.pk))).rows) == 33


def test_the_search_uses_its_index(service_a: Service, aino: User) -> None:
    keys = [name_key(f"Nimi{number}", "Aino") for number in range(5000)]
    Person.objects.bulk_create([Person(name_key=key) for key in keys], batch_size=500)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE registry_person")
    found = clients._named(Person.objects.all(), ["nimi499"]).order_by("name_key", "pk")
    assert "person_by_name_part" in found.explain()
    assert found.count() == 11


def test_a5_the_dead_are_a_worklist_until_staff_end_the_clientship(
    service_a: Service, service_b: Service, aino: User
) -> None:
    client(service_a, "Elossa")
    dead = client(service_a, "Kuollut", deceased=True)
    ended = client(service_a, "Lopetettu", deceased=True)
    ended.clientships.update(end=timezone.localdate() + timedelta(days=3))
    client(service_b, "Muualla", deceased=True)
    client(service_a, "Suojattu", deceased=True, protected=True)
    ProblemFactory.create(person=client(service_a, "Epäselvä", deceased=True), kind="NAME_MISMATCH")
    # A clientship of another unit that is open is that unit's work.
    ClientshipFactory.create(person=ended, service=service_b)
    assert names(clients.deceased(access(aino))) == ["Kuollut, Aino"]
    event = AuditEvent.objects.get(action="LIST")
    assert event.subjects == [dead.subject]


def test_a5_c24_a_death_outside_of_the_permit_is_no_work(service_a: Service, aino: User) -> None:
    client(service_a, "Kuollut", deceased=True)
    permit = DataPermit.objects.get()
    permit.groups = [group for group in permit.groups if group != "KUOLINPAIVA"]
    permit.save()
    assert clients.deceased(access(aino)).rows == ()


def test_c24_names_and_deaths_are_listed_and_found_only_by_the_permit(service_a: Service, aino: User) -> None:
    """Until they are erased on the next day (domain.md A2)."""
    client(service_a, "Kuollut", deceased=True)
    assert only(clients.named(access(aino), "kuollut")).signs == (Sign.DECEASED,)
    permit = DataPermit.objects.get()
    permit.groups = [group for group in permit.groups if group not in {"KUOLINPAIVA", "HENKILON_NIMI"}]
    permit.save()
    row = only(clients.listed(access(aino)))
    assert (row.name, row.signs) == ("", ())
    assert clients.named(access(aino), "kuollut").rows == ()
