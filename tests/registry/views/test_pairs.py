"""Two entries of one person, side by side, and the steps to a merge (domain.md D30, D31, E38)."""

from __future__ import annotations

import re
from datetime import date

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from registry.clock import today
from registry.models import AuditEvent, Clientship, DataPermit, Person, Problem, Service, User
from registry.selectors import pairs as selector
from tests.cast import access
from tests.factories import (
    AppliedChangeFactory,
    ClientshipFactory,
    PersonFactory,
    ProblemFactory,
    code_of,
    opened,
    pair,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("permit")]

Two = tuple[Person, Person]


@pytest.fixture
def two(service_a: Service, service_b: Service) -> Two:
    """One person by two codes: a client of unit A by the active one, of units A and B by the other."""
    stays = PersonFactory.create(last_name="Uusinimi", home=True)
    goes = PersonFactory.create(last_name="Vanhanimi", status="NOT_FOUND", home=True, home_house_number="7")
    ClientshipFactory.create(person=stays, service=service_a, start=date(2024, 1, 1), reference="PS-1")
    ClientshipFactory.create(person=goes, service=service_a, start=date(2023, 1, 1), reference="PS-2")
    ClientshipFactory.create(person=goes, service=service_b, reference="B-SALAINEN")
    pair(stays, goes)
    return stays, goes


@pytest.fixture
def handler(client: Client, daniel: User) -> Client:
    client.force_login(daniel)
    return client


def address(name: str, two: Two) -> str:
    return reverse(name, args=[person.subject for person in two])


def words(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def test_d30_both_are_seen_with_what_differs(handler: Client, two: Two) -> None:
    page = handler.get(address("pair", two)).content.decode()
    for word in ("Uusinimi", "Vanhanimi", "PS-1", "PS-2", "eroaa", "Ei löydy VTJ:stä"):
        assert word in page
    for person in two:
        assert f"{code_of(person)[:6]}••••" in page
        assert code_of(person) not in page
    assert page.index("Uusinimi") < page.index("Vanhanimi")
    event = AuditEvent.objects.latest("pk")
    assert (event.action, set(event.subjects)) == ("VIEW_PAIR", {person.subject for person in two})


def test_d30_it_is_the_same_page_from_either_side(handler: Client, two: Two) -> None:
    one, other = (handler.get(address("pair", side)).context["pair"] for side in (two, (two[1], two[0])))
    assert one == other


def test_where_they_live_is_told_as_the_same_or_not_and_never_where(handler: Client, two: Two) -> None:
    page = handler.get(address("pair", two)).content.decode()
    assert "Mikkolantie" not in page
    assert "Helsinki" not in page
    lines = {line.label: line for line in handler.get(address("pair", two)).context["pair"].lines}
    assert (lines["Vakinainen osoite"].shared, lines["Kotikunta"].shared) == ("Eri", "Sama")
    Person.objects.filter(pk=two[1].pk).update(location_hidden=True)
    lines = {line.label: line for line in handler.get(address("pair", two)).context["pair"].lines}
    assert (lines["Vakinainen osoite"].shared, lines["Kotikunta"].shared) == ("Ei näytetä", "Ei näytetä")


def test_c24_what_the_permit_does_not_grant_is_not_here_either(handler: Client, two: Two) -> None:
    DataPermit.objects.update(groups=["TURVAKIELTO", "KOTIKUNTA"])
    answer = handler.get(address("pair", two))
    assert "Vanhanimi" not in answer.content.decode()
    lines = {line.label: line for line in answer.context["pair"].lines}
    assert (lines["Vakinainen osoite"].shared, lines["Kotikunta"].shared) == ("Ei näytetä", "Sama")


def test_h52_clientships_of_other_units_are_a_number(handler: Client, two: Two) -> None:
    for name in ("pair", "pair-merge"):
        page = handler.get(address(name, two)).content.decode()
        assert "B-SALAINEN" not in page
        assert "1 muiden yksiköiden" in words(page)


def test_d30_the_entry_of_another_unit_is_seen_and_not_opened(handler: Client, two: Two, service_a: Service) -> None:
    Clientship.objects.filter(person=two[1], service=service_a).delete()
    page = handler.get(address("pair", two)).content.decode()
    assert "Vanhanimi" in page
    assert reverse("client", args=[two[0].subject]) in page
    assert reverse("client", args=[two[1].subject]) not in page


def test_d30_first_what_will_happen_then_it_happens(handler: Client, daniel: User, two: Two) -> None:
    AppliedChangeFactory.create_batch(2, person=two[1])
    answer = handler.get(address("pair-merge", two))
    page, token = answer.content.decode(), answer.context["preview"].token
    for word in ("PS-2, PS-1", "1.1.2023", "2 muutosta"):
        assert word in page
    assert Person.objects.count() == 2
    done = handler.post(address("pair-merge", two), {"confirm": token}, follow=True)
    assert done.redirect_chain[-1][0] == reverse("client", args=[two[0].subject])
    assert "yhdistetty" in done.content.decode()
    assert Person.objects.get() == two[0]
    assert Problem.objects.get().closed_by == daniel
    assert handler.get(address("pair", two)).status_code == 404


def test_d30_what_changed_since_is_shown_again_and_not_done(handler: Client, two: Two) -> None:
    token = handler.get(address("pair-merge", two)).context["preview"].token
    Clientship.objects.filter(person=two[0]).update(start=date(2024, 2, 2))
    for confirm in (token, "", "x"):
        answer = handler.post(address("pair-merge", two), {"confirm": confirm}, follow=True)
        assert answer.redirect_chain[-1][0] == address("pair-merge", two)
        assert "Jokin on muuttunut" in answer.content.decode()
    assert Person.objects.count() == 2


def test_a_name_in_doubt_hides_it_here_too_and_waits_for_its_decision(handler: Client, two: Two) -> None:
    ProblemFactory.create(person=two[1], kind="NAME_MISMATCH")
    page = handler.get(address("pair", two)).content.decode()
    assert "Vanhanimi" not in page
    assert address("pair-merge", two) not in page
    token = handler.get(address("pair-merge", two)).context["preview"].token
    answer = handler.post(address("pair-merge", two), {"confirm": token}, follow=True)
    assert "epävarma" in answer.content.decode()
    assert Person.objects.count() == 2


def test_e38_a_pair_under_a_ban(handler: Client, daniel: User, service_a: Service) -> None:
    one, other = PersonFactory.create_batch(2, protected=True)
    ClientshipFactory.create(person=one, service=service_a)
    pair(one, other)
    opened(daniel, one, other)
    page = handler.get(address("pair", (one, other))).content.decode()
    assert "Turvakielto koskee molempia" in page
    assert "turvakiellon päättyneen" in handler.get(address("pair-merge", (one, other))).content.decode()


def test_d30_a_report_to_dvv_is_noted_with_its_day(handler: Client, two: Two) -> None:
    answer = handler.post(address("pair-report", two), {"day": "1.1.2999"})
    assert 'id="id_day_error"' in answer.content.decode()
    day = today()
    answer = handler.post(address("pair-report", two), {"day": f"{day.day}.{day.month}.{day.year}"}, follow=True)
    assert f"Ilmoitettu DVV:lle {day.day}.{day.month}.{day.year}." in answer.content.decode()
    assert set(Problem.objects.values_list("reported_on", "closed_at")) == {(day, None)}
    page = handler.get(reverse("problems")).content.decode()
    assert "Uusinimi" not in page
    assert "Uusinimi" in handler.get(reverse("problems") + "?aside=1").content.decode()


def test_d30_those_who_are_no_pair_are_not_to_be_seen(handler: Client, two: Two) -> None:
    stranger = PersonFactory.create()
    for name in ("pair", "pair-merge"):
        assert handler.get(address(name, (two[0], stranger))).status_code == 404
    assert handler.post(address("pair-report", (two[0], stranger)), {"day": "1.1.2026"}).status_code == 404
    Problem.objects.update(closed_at=timezone.now(), other=None, pair_protected=None)
    assert handler.get(address("pair", two)).status_code == 404


def test_the_number_of_queries_does_not_grow(
    daniel: User, service_a: Service, two: Two, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for more in (0, 9):
        for _ in range(more):
            ClientshipFactory.create(person=two[0], service__unit=service_a.unit)
            ProblemFactory.create(person=ClientshipFactory.create(service=service_a).person)
        with django_assert_num_queries(13):
            assert selector.side_by_side(access(User.objects.get(pk=daniel.pk)), two[0].subject, two[1].subject)
