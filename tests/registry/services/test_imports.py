"""The organisation's own list in the register (outside.md, Import file): what each line does, and what none may do."""

from __future__ import annotations

from datetime import date, timedelta
from io import BytesIO

import pytest
from pytest_django import Settings

from registry.hetu import compose
from registry.models import AuditEvent, Clientship, EndReason, Person, PersonCode, Provider, Service, SubjectCode
from registry.services import erasure, imports
from registry.services.errors import Unreadable
from registry.services.imports import ENDS_TO_CONFIRM
from tests.cast import clerk
from tests.factories import ClientshipFactory, ProviderFactory, code_of, new_code
from tests.registry.services.lists import (
    DAY,
    ENDS,
    REQUIRED,
    START,
    TOMORROW,
    YESTERDAY,
    Row,
    counts,
    everything,
    of,
    register,
    run,
    said,
)

pytestmark = pytest.mark.django_db


# --- new lines


def test_a3_a_new_client_awaits_basic_data(service_a: Service) -> None:
    provider, code = ProviderFactory.create(), new_code()
    service_a.providers.add(provider)
    report = run((code, "KOTI", START, "", "0101263-6", "A-17"), header=f"{ENDS};tuottaja;viite")
    assert (report.lines, *counts(report), report.new_persons, report.written) == (1, 1, 0, 0, 0, 1, True)
    made = Clientship.objects.get()
    assert (made.service, made.start, made.end, made.end_reason) == (service_a, START, None, None)
    assert (made.provider, made.reference) == (provider, "A-17")
    assert (made.person.status, made.person.ask, code_of(made.person)) == ("AWAITING", None, code)
    assert SubjectCode.objects.get().subject == made.person.subject


def test_an_end_and_a_start_to_come_are_no_fault(service_a: Service) -> None:
    coming, ending, today = new_code(), new_code(), new_code()
    report = run((coming, "KOTI", TOMORROW), (ending, "KOTI", START, TOMORROW), (today, "KOTI", START, DAY))
    assert counts(report) == (3, 0, 0, 0)
    assert of(ending) == [("KOTI", START, TOMORROW)]
    assert Clientship.objects.get(person__codes__hetu=ending).end_reason == EndReason.LIST
    # Of a client who was not there before nothing is lost that anybody would have to confirm.
    assert report.erased == 0


def test_a_new_line_that_has_already_ended(service_a: Service) -> None:
    report = run((new_code(), "KOTI", START, YESTERDAY))
    assert said(report) == ["line 2, loppupaiva: a new clientship that has ended already"]
    assert not Person.objects.exists()


def test_one_person_may_use_several_services(service_a: Service, service_b: Service) -> None:
    code = new_code()
    report = run((code, "KOTI", START), (code, "KUNTO", START), (code, "KUNTO", "", ""))
    assert (*counts(report), report.new_persons) == (2, 0, 0, 1, 1)
    assert of(code) == [("KOTI", START, None), ("KUNTO", START, None)]


def test_d28_a_person_is_known_by_any_former_code(service_a: Service, service_b: Service) -> None:
    held = ClientshipFactory.create(service=service_a, start=START)
    former = new_code()
    held.person.codes.create(hetu=former, current=False)
    report = run((former, "KOTI", START), (former, "KUNTO", START), (code_of(held.person), "KUNTO", START))
    assert (*counts(report), report.new_persons) == (1, 0, 2, 0, 0)
    assert Person.objects.get() == held.person
    assert of(former) == [("KOTI", START, None), ("KUNTO", START, None)]


def test_a7_the_setting_says_which_codes_are_taken(service_a: Service, settings: Settings) -> None:
    test, permanent = new_code(), compose(date(1850, 1, 1), 123, "+")
    rows = ((test, "KOTI", START), (permanent, "KOTI", START))
    assert said(run(*rows)) == [
        "line 3, henkilotunnus: not a test code, and this installation accepts only those",
    ]
    settings.HETU_ALLOW_TEST_CODES = False
    (words,) = said(run(*rows))
    assert words.startswith("line 2, henkilotunnus: no permanent code")
    assert set(PersonCode.objects.values_list("hetu", flat=True)) == {test, permanent}


def test_services_and_providers_are_those_of_the_register(service_a: Service, service_b: Service) -> None:
    service_a.providers.add(ProviderFactory.create())
    Provider.objects.create(business_id="2331972-7", name="Toinen Oy")
    rows = [
        (new_code(), "MUU", START),
        (new_code(), "KOTI", START, "2331972-7"),
        (new_code(), "KUNTO", START, "0101263-6"),
        (new_code(), "KOTI", START, "0737546-2"),
    ]
    assert said(run(*rows, header=f"{REQUIRED};tuottaja")) == [
        "line 2, palvelu: no service has this code",
        "line 3, tuottaja: does not produce this service",
        "line 4, tuottaja: does not produce this service",
        "line 5, tuottaja: no such provider",
    ]
    assert not Person.objects.exists()


# --- lines of clientships that are there


def test_an_end_ends_an_open_clientship(service_a: Service) -> None:
    held = ClientshipFactory.create(service=service_a, start=START)
    report = run((code_of(held.person), "KOTI", START, YESTERDAY))
    assert (*counts(report), report.erased) == (0, 1, 0, 0, 1)
    held.refresh_from_db()
    assert (held.end, held.end_reason, held.ended_by) == (YESTERDAY, EndReason.LIST, None)
    assert held.ended_at is not None
    # F43: the import erases nobody; the due run does.
    assert Person.objects.filter(pk=held.person_id).exists()
    assert erasure.due(DAY + timedelta(days=3650)).persons == 1


def test_a_line_without_an_end_changes_nothing_of_an_ended_clientship(service_a: Service) -> None:
    held = ClientshipFactory.create(service=service_a, start=START, end=TOMORROW)
    assert counts(run((code_of(held.person), "KOTI", START))) == (0, 0, 1, 0)
    assert of(code_of(held.person)) == [("KOTI", START, TOMORROW)]


def test_a_clientship_that_has_another_end_keeps_it(service_a: Service) -> None:
    held = ClientshipFactory.create(service=service_a, start=START, end=TOMORROW)
    report = run((code_of(held.person), "KOTI", START, DAY))
    assert said(report) == ["line 2, loppupaiva: the clientship has another end already"]
    assert of(code_of(held.person)) == [("KOTI", START, TOMORROW)]


def test_a_second_open_one_beside_one_of_the_register(service_a: Service) -> None:
    held = ClientshipFactory.create(service=service_a, start=START)
    ending = ClientshipFactory.create(service=service_a, start=START, end=DAY)
    rows = [(code_of(one.person), "KOTI", DAY) for one in (held, ending)]
    words = "palvelu: the person has an open clientship of this service already"
    assert said(run(*rows)) == [f"line 2, {words}", f"line 3, {words}"]
    assert Clientship.objects.count() == 2


@pytest.mark.parametrize("end", ["", DAY], ids=["open", "until the day when the other begins"])
def test_a_second_open_one_beside_another_line(service_a: Service, end: object) -> None:
    code = new_code()
    report = run((code, "KOTI", START, end), (code, "KOTI", DAY))
    assert said(report) == ["line 3, palvelu: a second open clientship of this service, after line 2"]
    assert of(code) == [("KOTI", START, end or None)]


def test_a_bad_line_stands_in_no_good_ones_way(service_a: Service) -> None:
    code, autumn, spring = new_code(), date(2026, 9, 1), date(2027, 1, 1)
    report = run(
        (code, "KOTI", START, date(2026, 8, 31)),
        (code, "KOTI", date(2026, 8, 1), date(2026, 12, 31)),
        (code, "KOTI", autumn, date(2026, 10, 31)),
        (code, "KOTI", date(2026, 10, 1), date(2027, 1, 31)),
        (code, "KOTI", spring),
    )
    assert said(report) == [
        "line 3, palvelu: a second open clientship of this service, after line 2",
        "line 5, palvelu: a second open clientship of this service, after line 4",
    ]
    assert [start for _, start, _ in of(code)] == [START, autumn, spring]


@pytest.mark.parametrize("order", [1, -1], ids=["end first", "start first"])
def test_one_may_follow_where_the_file_itself_ends_the_one_before(service_a: Service, order: int) -> None:
    held = ClientshipFactory.create(service=service_a, start=START)
    code = code_of(held.person)
    report = run(*[(code, "KOTI", START, DAY), (code, "KOTI", TOMORROW)][::order])
    assert (*counts(report), report.erased) == (1, 1, 0, 0, 0)
    assert of(code) == [("KOTI", START, DAY), ("KOTI", TOMORROW, None)]


def test_one_may_begin_when_the_one_of_the_register_will_have_ended(service_a: Service) -> None:
    held = ClientshipFactory.create(service=service_a, start=START, end=TOMORROW)
    code = code_of(held.person)
    assert run((code, "KOTI", TOMORROW)).bad_count == 1
    assert run((code, "KOTI", TOMORROW + timedelta(days=1))).added == 1


# --- lines that speak of each other


def test_the_same_line_twice_is_one_clientship(service_a: Service) -> None:
    code = new_code()
    assert counts(run((code, "KOTI", START), (code.lower(), "KOTI", "1.1.2026"))) == (1, 0, 1, 0)
    assert of(code) == [("KOTI", START, None)]


def test_two_lines_that_contradict_each_other(service_a: Service) -> None:
    held, code = ClientshipFactory.create(service=service_a, start=START), new_code()
    known = code_of(held.person)
    rows = [(code, "KOTI", START), (known, "KOTI", START, DAY), (code, "KOTI", START, DAY), (known, "KOTI", START)]
    assert said(run(*rows)) == [
        "line 4, loppupaiva: differs from line 2, which is the same clientship",
        "line 5, loppupaiva: differs from line 3, which is the same clientship",
    ]
    assert of(code) == [("KOTI", START, None)]
    assert of(known) == [("KOTI", START, DAY)]


def test_a_bad_line_twice_is_bad_twice(service_a: Service, service_b: Service) -> None:
    held, code = ClientshipFactory.create(service=service_a, start=START), new_code()
    bad = [
        (new_code(), "KOTI", START, YESTERDAY),
        (code_of(held.person), "KOTI", DAY),
        (code, "KUNTO", START),
        (code, "KUNTO", DAY),
    ]
    report = run(*bad, *bad)
    assert counts(report) == (1, 0, 1, 6)
    assert said(report) == [
        "line 2, loppupaiva: a new clientship that has ended already",
        "line 3, palvelu: the person has an open clientship of this service already",
        "line 5, palvelu: a second open clientship of this service, after line 4",
        "line 6, loppupaiva: a new clientship that has ended already",
        "line 7, palvelu: the person has an open clientship of this service already",
        "line 9, palvelu: a second open clientship of this service, after line 4",
    ]


# --- the file as a whole


def test_a_file_imported_twice_adds_nothing(service_a: Service, service_b: Service) -> None:
    held = ClientshipFactory.create(service=service_a, start=START)
    rows = [
        (new_code(), "KOTI", START, "", "Mallinen", "Aino"),
        (new_code(), "KUNTO", START, TOMORROW, "Mallinen", "Aino"),
        (code_of(held.person), "KOTI", START, YESTERDAY, "Muu", "Nimi"),
        (code_of(held.person), "KUNTO", START),
    ]
    header = f"{ENDS};sukunimi;etunimet"
    assert counts(run(*rows, header=header)) == (3, 1, 0, 0)
    before = everything() | {"registry_auditevent": []}
    report = run(*rows, header=header)
    assert (*counts(report), report.new_persons, report.erased) == (0, 0, 4, 0, 0, 0)
    assert everything() | {"registry_auditevent": []} == before


def test_good_lines_go_in_and_bad_ones_change_nothing(service_a: Service) -> None:
    open_one, ended = (ClientshipFactory.create(service=service_a, start=START, end=end) for end in (None, TOMORROW))
    bad = [
        ("x", "KOTI", START),
        (new_code(), "MUU", START),
        (new_code(), "KOTI", ""),
        (new_code(), "KOTI", START, YESTERDAY),
        (new_code(), "KOTI", DAY, START),
        (code_of(open_one.person), "KOTI", DAY),
        (code_of(ended.person), "KOTI", START, DAY),
    ]
    before = everything() | {"registry_auditevent": []}
    report = run(*bad)
    assert (*counts(report), report.written) == (0, 0, 0, len(bad), True)
    assert everything() | {"registry_auditevent": []} == before
    good = new_code()
    assert counts(run(*bad[:3], (good, "KOTI", START), *bad[3:])) == (1, 0, 0, len(bad))
    assert of(good) == [("KOTI", START, None)]


def test_of_many_bad_lines_the_first_hundred_are_told_in_order(service_a: Service) -> None:
    held = ClientshipFactory.create(service=service_a, start=START)
    report = run(*[(code_of(held.person), "KOTI", DAY) if n % 2 else ("x", "KOTI", DAY) for n in range(300)])
    assert (len(report.bad), report.bad_count, report.lines) == (100, 300, 300)
    assert [bad.line for bad in report.bad] == list(range(2, 102))


def test_a_dry_run_tells_the_same_and_changes_nothing(service_a: Service) -> None:
    held = ClientshipFactory.create(service=service_a, start=START)
    rows = [(new_code(), "KOTI", START), (code_of(held.person), "KOTI", START, DAY), ("x", "KOTI", START)]
    before = register()
    dry = run(*rows, dry_run=True)
    assert register() == before
    # What it tells is of people in the register, and leaves an event (domain.md G46).
    events = AuditEvent.objects.filter(action="IMPORT")
    assert list(events.values_list("outcome", "count", "subjects")) == [("dry run", 3, [])]
    assert not dry.written
    dry.written = True
    assert run(*rows) == dry


def test_lines_that_name_another_provider_or_reference_are_counted_and_change_nothing(service_a: Service) -> None:
    known, other = ProviderFactory.create(), ProviderFactory.create(business_id="0101264-4")
    service_a.providers.add(known, other)
    held = [ClientshipFactory.create(service=service_a, start=START, provider=known, reference="17") for _ in range(4)]
    told = [(known, "17"), (other, ""), (known, "18"), (None, "")]
    rows = [
        (code_of(one.person), "KOTI", START, provider.business_id if provider else "", reference)
        for one, (provider, reference) in zip(held, told, strict=True)
    ]
    report = run(*rows, header=f"{REQUIRED};tuottaja;viite")
    assert (report.same, report.otherwise) == (4, 2)
    assert set(Clientship.objects.values_list("provider", "reference")) == {(known.pk, "17")}


def test_what_cannot_be_read_to_its_end_changes_nothing(service_a: Service) -> None:
    before = everything()
    file = BytesIO(f"{REQUIRED}\n{new_code()};KOTI;{START}\n\xff\n".encode("latin-1"))
    with pytest.raises(Unreadable, match="Line 3"):
        imports.run(clerk, file, day=DAY)
    assert everything() == before


def test_the_ends_of_more_than_fifty_persons_need_a_confirmation(service_a: Service, service_b: Service) -> None:
    held = [ClientshipFactory.create(service=service_a, start=START) for _ in range(ENDS_TO_CONFIRM + 1)]
    stays = ClientshipFactory.create(service=service_a, start=START)
    ClientshipFactory.create(service=service_b, person=stays.person)
    rows: list[Row] = [(code_of(one.person), "KOTI", START, DAY) for one in (*held, stays)]
    rows.append((new_code(), "KOTI", START))
    before = register()
    for number in (None, 0, ENDS_TO_CONFIRM, ENDS_TO_CONFIRM + 2):
        report = run(*rows, confirm_ends=number)
        assert (report.erased, report.unconfirmed, report.written) == (ENDS_TO_CONFIRM + 1, True, False)
    assert register() == before
    # One person less needs no confirmation.
    assert run(*rows[1:], dry_run=True).unconfirmed is False
    report = run(*rows, confirm_ends=ENDS_TO_CONFIRM + 1)
    assert (*counts(report), report.unconfirmed) == (1, ENDS_TO_CONFIRM + 2, 0, 0, False)


def test_who_keeps_an_open_clientship_is_not_erased_by_an_end(service_a: Service, service_b: Service) -> None:
    both = [ClientshipFactory.create(service=service_a, start=START) for _ in range(4)]
    for one in both:
        ClientshipFactory.create(service=service_b, person=one.person, start=START)
    first, second, third, fourth = (code_of(one.person) for one in both)
    report = run(
        (first, "KOTI", START, DAY),
        (second, "KOTI", START, DAY),
        (second, "KUNTO", START, TOMORROW),
        (third, "KOTI", START, DAY),
        (third, "KUNTO", START, DAY),
        (third, "KOTI", TOMORROW),
        (fourth, "KOTI", START, DAY),
        (fourth, "KUNTO", START, DAY),
        (fourth, "KOTI", TOMORROW, TOMORROW),
    )
    assert (report.ended, report.added, report.erased) == (7, 2, 2)
