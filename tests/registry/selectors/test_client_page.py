"""What one client's page shows, and to whom (domain.md A2, C24, D31, E34-E41, H54)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone, translation
from pytest_django import DjangoAssertNumQueries

from registry.models import AuditEvent, DataPermit, Person, PersonCode, Service, User
from registry.record import LOCATION_GROUPS, Group
from registry.selectors import client as selector
from registry.selectors.client import Client
from registry.selectors.place import Place
from tests.cast import access
from tests.factories import (
    AppliedChangeFactory,
    ClientshipFactory,
    ForeignAddressFactory,
    PersonFactory,
    ProblemFactory,
    code_of,
    new_code,
    opened,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("permit")]


def shown(user: User, person: Person) -> Client:
    found = selector.viewed(access(user), person.subject)
    assert found is not None
    return found


def client(service: Service, **more: object) -> Person:
    person = PersonFactory.create(**({"home": True} | more))
    ClientshipFactory.create(person=person, service=service)
    return person


def places(page: Client) -> list[object]:
    return [page.home, page.foreign, page.municipality, page.moved_in]


NOWHERE = [None, (), "", ""]


def test_everything_that_vtj_says_in_words(service_a: Service, aino: User) -> None:
    person = client(service_a, last_name="Äyräs")
    ForeignAddressFactory.create(person=person)
    page = shown(aino, person)
    assert page.name == "Hanna Maria Äyräs"
    assert (page.language, page.municipality, page.place) == ("suomi", "Helsinki", Place.SHOWN)
    assert page.home is not None
    assert (page.home.lines, page.home.since) == (("Mikkolantie 30 F 28", "00640 HELSINKI"), "1.1.1992 alkaen")
    assert page.foreign[0].lines == ("Kungsgatan 1", "111 43 STOCKHOLM", "Ruotsi")
    with translation.override("sv"):
        swedish = shown(aino, person)
    assert swedish.home is not None
    assert (swedish.home.lines[0], swedish.municipality) == ("Mickelsvägen 30 F 28", "Helsingfors")


def test_g46_a_view_is_logged_before_it_is_shown(service_a: Service, aino: User, celia: User) -> None:
    person = client(service_a)
    shown(aino, person)
    event = AuditEvent.objects.get()
    assert (event.action, event.subjects, event.user_id) == ("VIEW", [person.subject], aino.pk)
    assert selector.viewed(access(celia), person.subject) is None
    assert AuditEvent.objects.count() == 1


def test_h54_the_code_is_masked_until_it_is_asked_for(service_a: Service, aino: User) -> None:
    person = client(service_a)
    code = code_of(person)
    assert code[6:] not in shown(aino, person).code
    page = selector.with_code(access(aino), person.subject)
    assert page is not None
    assert (page.code, page.code_shown) == (code, True)
    assert AuditEvent.objects.latest("pk").action == "SHOW_CODE"


def test_d31_former_codes_and_names_need_a_right_of_their_own(service_a: Service, aino: User, daniel: User) -> None:
    person = client(service_a, last_name="Uusi")
    PersonCode.objects.create(person=person, hetu=new_code(), current=False)
    AppliedChangeFactory.create(person=person, old_value="Vanhin", new_value="Vanha")
    AppliedChangeFactory.create(person=person, old_value="Vanha", new_value="Uusi")
    assert len(shown(daniel, person).former_codes) == 1
    assert [(one.old, one.new) for one in shown(daniel, person).changes] == [("Vanha", "Uusi"), ("Vanhin", "Vanha")]
    page = shown(aino, person)
    assert page.former_codes == ()
    assert [(one.old, one.new, one.hidden) for one in page.changes] == [("", "Uusi", True), ("", "", True)]


def test_e38_a_protected_client_is_for_handlers(service_a: Service, aino: User, celia: User, daniel: User) -> None:
    person = client(service_a, home=False, protected=True)
    opened(daniel, person)
    page = shown(daniel, person)
    assert (page.protected, page.place, places(page)) == (True, Place.PROTECTED, NOWHERE)
    assert selector.viewed(access(aino), person.subject) is None
    assert selector.moved_to_handlers(access(aino), person.subject)
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.outcome, event.subjects) == ("VIEW", "refused", [person.subject])
    assert not selector.moved_to_handlers(access(celia), person.subject)
    assert AuditEvent.objects.latest("pk") == event


def test_e38_who_comes_under_a_ban_while_the_page_is_made_is_not_shown(service_a: Service, aino: User) -> None:
    person = client(service_a, home=False)

    def ban_begins(execute: Any, sql: str, *more: Any) -> Any:
        if "registry_foreignaddress" in sql:
            Person.objects.update(protected=True)
        return execute(sql, *more)

    with connection.execute_wrapper(ban_begins):
        assert selector.viewed(access(aino), person.subject) is None
    assert not AuditEvent.objects.exists()


def test_g48_a_change_whose_values_are_not_kept_is_told_all_the_same(service_a: Service, daniel: User) -> None:
    person = client(service_a)
    AppliedChangeFactory.create(person=person, field="code", old_value=None, new_value=None)
    AppliedChangeFactory.create(person=person, field="language", old_value=None, new_value="sv")
    changes = shown(daniel, person).changes
    assert [(one.field, one.kept) for one in changes] == [("Äidinkieli", True), ("Henkilötunnus", False)]


def test_a_foreign_address_that_changed_is_told_with_its_country(service_a: Service, aino: User) -> None:
    person = client(service_a)
    text = "Kungsgatan 1, 111 43 STOCKHOLM, 752, (2020-01-24–)"
    AppliedChangeFactory.create(person=person, field="foreign", old_value=None, new_value=text)
    assert shown(aino, person).changes[0].new == "Kungsgatan 1, 111 43 STOCKHOLM, Ruotsi (24.1.2020–)"


@pytest.mark.parametrize(
    ("state", "place"),
    [
        ({"location_hidden": True}, Place.CHECKED),
        ({"checked_at": timezone.now() - timedelta(days=8)}, Place.UNCONFIRMED),
        ({"checked_at": None}, Place.UNCONFIRMED),
    ],
)
def test_a_doubted_location_is_hidden_with_its_history(
    service_a: Service, aino: User, state: dict[str, object], place: Place
) -> None:
    person = client(service_a, **state)
    AppliedChangeFactory.create(person=person, field="municipality", old_value="049", new_value="091")
    AppliedChangeFactory.create(person=person, field="language", old_value="sv", new_value="fi")
    page = shown(aino, person)
    assert (page.place, places(page)) == (place, NOWHERE)
    assert [(one.field, one.old, one.new) for one in page.changes] == [("Äidinkieli", "ruotsi", "suomi")]


def test_e41_an_older_location_is_shown_with_a_warning(service_a: Service, aino: User) -> None:
    page = shown(aino, client(service_a, checked_at=timezone.now() - timedelta(hours=27)))
    assert (page.place, page.municipality) == (Place.OLD, "Helsinki")


def test_e37_what_a_banned_person_is_awaited_to_reveal(service_a: Service, aino: User) -> None:
    page = shown(aino, client(service_a, home=False, municipality_code="091", reveal_awaited=True))
    assert (page.reveal_awaited, page.municipality, page.home) == (True, "Helsinki", None)


def test_a2_without_a_permit_no_location_is_shown(service_a: Service, aino: User) -> None:
    person = client(service_a)
    DataPermit.objects.update(valid_to=date(2021, 1, 1))
    page = shown(aino, person)
    assert (page.place, places(page)) == (Place.NO_PERMIT, NOWHERE)


@pytest.mark.parametrize(
    ("groups", "granted"),
    [(["TURVAKIELTO", "KOTIKUNTA"], {Group.MUNICIPALITY}), (["KOTIKUNTA"], set()), ([], set())],
)
def test_c24_groups_that_are_not_in_the_permit(
    service_a: Service, aino: User, groups: list[str], granted: set[Group]
) -> None:
    person = client(service_a)
    ForeignAddressFactory.create(person=person)
    for field in ("home", "foreign", "municipality"):
        AppliedChangeFactory.create(person=person, field=field, new_value="091")
    DataPermit.objects.update(groups=groups)
    page = shown(aino, person)
    assert page.granted & LOCATION_GROUPS == granted
    assert (page.home, page.foreign) == (None, ())
    assert bool(page.municipality) == bool(granted) == bool(page.changes)


def test_a_name_mismatch_hides_all_that_vtj_says(service_a: Service, aino: User) -> None:
    person = client(service_a, deceased=True)
    AppliedChangeFactory.create(person=person, field="language", new_value="fi")
    ProblemFactory.create(person=person, kind="NAME_MISMATCH")
    page = shown(aino, person)
    assert (page.known, page.name, page.language, page.deceased, page.changes) == (False, "", "", False, ())
    assert places(page) == NOWHERE
    assert page.problems


def test_f43_the_page_tells_when_an_ended_clientship_is_erased(service_a: Service, aino: User) -> None:
    person = client(service_a)
    ended = ClientshipFactory.create(
        person=person, service__unit=service_a.unit, end=date(2026, 1, 10), ended_at=timezone.now()
    )
    by_id = {one.row.pk: one for one in shown(aino, person).clientships}
    assert by_id[ended.pk].erased_on is not None
    assert [one.erased_on for one in by_id.values() if one.row.pk != ended.pk] == [None]


def test_the_page_needs_the_right_to_see_clients(service_a: Service, bertta: User) -> None:
    person = client(service_a)
    with pytest.raises(PermissionDenied):
        selector.viewed(access(bertta), person.subject)
    assert not AuditEvent.objects.exists()


def test_the_number_of_queries_does_not_grow(
    service_a: Service, aino: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    person = client(service_a)
    with django_assert_num_queries(14):
        shown(User.objects.get(pk=aino.pk), person)
    for _ in range(9):
        AppliedChangeFactory.create(person=person)
        ForeignAddressFactory.create(person=person)
        ClientshipFactory.create(person=person, service__unit=service_a.unit)
    with django_assert_num_queries(14):
        shown(User.objects.get(pk=aino.pk), person)
