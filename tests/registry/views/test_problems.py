"""The list of what needs attention, and the page of one problem (domain.md A4, E38, F43, H52, H55)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from registry.models import AuditEvent, Clientship, DataPermit, Person, Problem, ProblemKind, Service, User
from registry.problem_kinds import KINDS
from registry.selectors import problems as selector
from tests.cast import access
from tests.factories import ClientshipFactory, PersonFactory, ProblemFactory, code_of, opened, pair

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("permit")]

LIST = reverse("problems")


@pytest.fixture
def lost(service_a: Service) -> Problem:
    """A client of unit A whom VTJ does not find, and is asked about tomorrow."""
    later = timezone.now() + timedelta(days=1)
    person = PersonFactory.create(
        last_name="Kadonnut", status="NOT_FOUND", ask="VALUE", ask_not_before=later, home=True
    )
    ClientshipFactory.create(person=person, service=service_a, reference="PS-17")
    return ProblemFactory.create(person=person, attempts=4)


@pytest.fixture
def doubted(service_a: Service) -> Problem:
    """A client of unit A whose name in the list is not VTJ's."""
    person = PersonFactory.create(last_name="Toisenimi", home=True)
    ClientshipFactory.create(person=person, service=service_a)
    return ProblemFactory.create(person=person, kind="NAME_MISMATCH")


def text(client: Client, user: User, address: str = LIST, status: int = 200) -> str:
    client.force_login(user)
    answer = client.get(address)
    assert answer.status_code == status
    return answer.content.decode()


def test_a4_a_caseworker_sees_whose_problem_it_is_how_old_and_when_vtj_is_asked(
    client: Client, aino: User, lost: Problem
) -> None:
    Problem.objects.update(opened_at=timezone.now() - timedelta(days=3))
    page = text(client, aino)
    next_at = timezone.localtime(lost.person.ask_not_before)
    assert next_at is not None
    for word in ("Kadonnut", "Ei löydy VTJ:stä", "3 päivää", '<td class="count" data-label="Yrityksiä">4</td>'):
        assert word in page
    assert f"{next_at.day}.{next_at.month}.{next_at.year}" in page
    assert reverse("client", args=[lost.person.subject]) in page
    assert reverse("problem", args=[lost.pk]) in page
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.subjects) == ("VIEW_PROBLEMS", [lost.person.subject])


def test_c24_a_name_outside_of_the_permit_is_not_listed(client: Client, aino: User, lost: Problem) -> None:
    permit = DataPermit.objects.get()
    permit.groups = [group for group in permit.groups if group != "HENKILON_NIMI"]
    permit.save()
    page = text(client, aino)
    assert "Kadonnut" not in page
    assert reverse("client", args=[lost.person.subject]) in page


def test_h52_an_administrator_sees_kind_age_and_attempts_and_no_person(
    client: Client, bertta: User, lost: Problem
) -> None:
    page = text(client, bertta)
    assert "Ei löydy VTJ:stä" in page
    assert "Kadonnut" not in page
    assert str(lost.person.subject) not in page
    assert reverse("problem", args=[lost.pk]) not in page
    assert code_of(lost.person)[:6] not in page
    assert AuditEvent.objects.latest("pk").subjects == []
    text(client, bertta, reverse("problem", args=[lost.pk]), 403)


def test_h52_who_is_both_sees_all_and_the_own_clients_by_name(
    client: Client, aino: User, bertta: User, lost: Problem
) -> None:
    ProblemFactory.create(person=ClientshipFactory.create(person__last_name="Vieras").person, kind="UNREADABLE")
    aino.groups.add(*bertta.groups.all())
    page = text(client, aino)
    assert "Kadonnut" in page
    assert "Vieras" not in page
    assert "VTJ:n vastausta ei voitu lukea" in page


def test_e38_the_problem_of_a_protected_person_is_for_handlers(
    client: Client, aino: User, celia: User, daniel: User, lost: Problem
) -> None:
    Person.objects.update(protected=True, **dict.fromkeys(
        ["home_street_fi", "home_street_sv", "home_house_number", "home_staircase", "home_apartment",
         "home_postal_code", "home_post_office_fi", "home_post_office_sv", "home_municipality_code", "home_start",
         "home_start_precision", "municipality_code", "municipality_moved_in", "municipality_moved_in_precision"]
    ))  # fmt: skip
    address = reverse("problem", args=[lost.pk])
    for user in (aino, celia):
        assert "Kadonnut" not in text(client, user)
        text(client, user, address, 404)
    assert "Kadonnut" in text(client, daniel)
    opened(daniel, lost.person)
    assert "Kadonnut" in text(client, daniel, address)


@pytest.mark.parametrize("chosen", ["", "?kind=", "?kind=NOT_FOUND", "?kind=x"])
@pytest.mark.usefixtures("lost", "doubted")
def test_the_filter_finds_no_fault_with_any_choice(client: Client, aino: User, chosen: str) -> None:
    page = text(client, aino, f"{LIST}{chosen}")
    assert 'name="kind"' in page
    assert 'class="wrong"' not in page
    assert ('value="NOT_FOUND" selected' in page) is ("NOT_FOUND" in chosen)


def test_the_list_is_of_one_kind_with_what_it_means_and_what_to_do(
    client: Client, aino: User, lost: Problem, doubted: Problem
) -> None:
    page = text(client, aino, f"{LIST}?kind=NOT_FOUND")
    about = KINDS[ProblemKind.NOT_FOUND]
    assert str(about.meaning) in page
    assert str(about.todo) in page
    assert reverse("problem", args=[lost.pk]) in page
    assert reverse("problem", args=[doubted.pk]) not in page
    assert reverse("problem", args=[doubted.pk]) in text(client, aino, f"{LIST}?kind=x")


def test_the_list_goes_on_page_by_page(client: Client, aino: User, service_a: Service) -> None:
    persons = PersonFactory.create_batch(selector.PAGE + 3)
    Clientship.objects.bulk_create([Clientship(person=one, service=service_a, start="2020-01-01") for one in persons])
    Problem.objects.bulk_create([Problem(person=one, kind="NOT_FOUND") for one in persons])
    client.force_login(aino)
    first = client.get(LIST).context["page"]
    assert (len(first.rows), first.total) == (selector.PAGE, selector.PAGE + 3)
    answer = client.get(LIST, {"after": first.after})
    second = answer.context["page"]
    assert (len(second.rows), second.after) == (3, None)
    assert {row.number for row in first.rows}.isdisjoint(row.number for row in second.rows)
    assert f"{selector.PAGE + 3}<span" in answer.content.decode()
    assert client.get(LIST, {"after": "x"}).status_code == 200


def test_the_number_of_queries_does_not_grow(
    aino: User, service_a: Service, django_assert_num_queries: DjangoAssertNumQueries, lost: Problem
) -> None:
    for more in (0, 9):
        for _ in range(more):
            ProblemFactory.create(person=ClientshipFactory.create(service=service_a).person)
        with django_assert_num_queries(12):
            selector.listed(access(User.objects.get(pk=aino.pk)))


@pytest.mark.usefixtures("doubted", "lost")
@pytest.mark.parametrize(("who", "counts"), [("aino", ["2", "1"]), ("celia", []), ("bertta", [])])
def test_the_navigation_tells_how_many_of_ones_own_wait(
    request: pytest.FixtureRequest, client: Client, who: str, counts: list[str]
) -> None:
    user = request.getfixturevalue(who)
    told = re.findall(r'<span class="sign warn">(\d+)<', text(client, user))
    Problem.objects.filter(kind="NOT_FOUND").update(handled_at=timezone.now())
    told += re.findall(r'<span class="sign warn">(\d+)<', text(client, user))
    assert told == counts


def test_the_clients_page_leads_to_its_problems(client: Client, aino: User, lost: Problem) -> None:
    page = text(client, aino, reverse("client", args=[lost.person.subject]))
    assert reverse("problem", args=[lost.pk]) in page
    assert str(KINDS[ProblemKind.NOT_FOUND].meaning) in page


def test_a4_ask_again_and_set_aside(client: Client, aino: User, lost: Problem) -> None:
    client.force_login(aino)
    answer = client.post(reverse("problem-ask", args=[lost.pk]), follow=True)
    assert "Seuraavassa päivityksessä" in answer.content.decode()
    answer = client.post(reverse("problem-aside", args=[lost.pk]), {"note": "Soitettu asiakkaalle"}, follow=True)
    assert answer.redirect_chain[-1][0] == LIST
    assert "Kadonnut" not in answer.content.decode()
    aside = text(client, aino, f"{LIST}?aside=1")
    assert "Kadonnut" in aside
    page = text(client, aino, reverse("problem", args=[lost.pk]))
    assert "Soitettu asiakkaalle" in page
    assert "Aino Esimerkki" in page
    assert "sivuun" in text(client, aino, reverse("client", args=[lost.person.subject]))


@pytest.mark.parametrize("note", ["", "   ", "Uusi tunnus 131052-9085 kysytty"])
def test_a_note_is_some_words_without_an_identity_code(client: Client, aino: User, lost: Problem, note: str) -> None:
    client.force_login(aino)
    answer = client.post(reverse("problem-aside", args=[lost.pk]), {"note": note})
    assert 'id="id_note_error"' in answer.content.decode()
    assert Problem.objects.get().handled_at is None


def test_what_was_closed_meanwhile_leads_back_to_the_list(client: Client, aino: User, lost: Problem) -> None:
    client.force_login(aino)
    Problem.objects.update(closed_at=timezone.now())
    answer = client.post(reverse("problem-ask", args=[lost.pk]), follow=True)
    assert answer.redirect_chain[-1][0] == LIST
    assert "ratkennut" in answer.content.decode()
    assert client.get(reverse("problem", args=[lost.pk])).status_code == 404


def test_outside_a_mismatch_shows_no_name_until_it_is_asked_for(client: Client, aino: User, doubted: Problem) -> None:
    address = reverse("problem", args=[doubted.pk])
    for page in (text(client, aino), text(client, aino, address)):
        assert "Toisenimi" not in page
        assert "Mikkolantie" not in page
    named = client.post(reverse("problem-name", args=[doubted.pk])).content.decode()
    assert "Hanna Maria Toisenimi" in named
    assert "Mikkolantie" not in named
    assert AuditEvent.objects.filter(action="SHOW_NAME", subjects=[doubted.person.subject]).exists()
    assert "Toisenimi" not in text(client, aino, address)


def test_yes_this_is_the_person_shows_the_client_again(client: Client, aino: User, doubted: Problem) -> None:
    client.force_login(aino)
    answer = client.post(reverse("problem-right", args=[doubted.pk]), follow=True)
    assert answer.redirect_chain[-1][0] == reverse("client", args=[doubted.person.subject])
    assert "Toisenimi" in answer.content.decode()


def test_h55_no_it_is_not_shows_first_what_goes(client: Client, aino: User, doubted: Problem) -> None:
    client.force_login(aino)
    address, number = reverse("problem-wrong", args=[doubted.pk]), Clientship.objects.get().pk
    page = client.post(address, {"clientship": number}).content.decode()
    assert 'value="ERASED"' in page
    assert Person.objects.exists()
    # What is confirmed is what was shown.
    Clientship.objects.update(created_at=timezone.now() - timedelta(days=2))
    page = client.post(address, {"clientship": number, "confirm": "ERASED"}).content.decode()
    assert 'value="ENDED"' in page
    assert Clientship.objects.get().end is None
    answer = client.post(address, {"clientship": number, "confirm": "ENDED"})
    assert answer["Location"] == LIST
    assert Clientship.objects.get().end_reason == "MISTAKE"
    assert "Toisenimi" not in text(client, aino, reverse("client", args=[doubted.person.subject]))


def test_no_it_is_not_needs_a_clientship_to_be_chosen(client: Client, aino: User, doubted: Problem) -> None:
    client.force_login(aino)
    for chosen in ({}, {"clientship": "x"}, {"clientship": "999999"}):
        answer = client.post(reverse("problem-wrong", args=[doubted.pk]), chosen, follow=True)
        assert "Valitse asiakkuus" in answer.content.decode()
    assert Clientship.objects.get().end is None


def test_d30_a_caseworker_is_told_who_can_merge_and_a_handler_is_led_there(
    client: Client, aino: User, daniel: User, service_a: Service
) -> None:
    one, other = ClientshipFactory.create(service=service_a).person, PersonFactory.create()
    problem, _ = pair(one, other)
    address = reverse("problem", args=[problem.pk])
    beside = reverse("pair", args=[one.subject, other.subject])
    page = text(client, aino, address)
    assert beside not in page
    assert str(other.subject) not in page
    assert beside in text(client, daniel, address)


def test_a_mismatch_hides_former_codes_too(client: Client, daniel: User, doubted: Problem) -> None:
    doubted.person.codes.create(hetu="010190-999P", current=False)
    assert "010190" not in text(client, daniel, reverse("client", args=[doubted.person.subject]))
