"""Whose code is it? Asked on the page where a client is added, before anybody is (domain.md G46, G49, H53)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from registry.models import AuditEvent, Clientship, Person, Service, User
from registry.services.look_up import Reason
from tests.factories import ClientshipFactory, PersonFactory, new_code
from vtjsync.simulator.server import Handle

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("permit")]

ADD, LOOK_UP = reverse("client-add"), reverse("client-look-up")


@pytest.fixture
def caseworker(client: Client, aino: User, service_a: Service) -> Client:
    client.force_login(aino)
    return client


def ask(client: Client, code: str, **more: object) -> HttpResponse:
    return client.post(LOOK_UP, {"hetu": code, "reason": "APPLICATION"} | more)


def told(answer: HttpResponse) -> str:
    """The part of the page that tells the answer, without its tags."""
    found = re.search(r'id="told".*?>(.*?)</fieldset>', answer.content.decode(), re.DOTALL)
    return " ".join(re.sub(r"<.*?>", " ", found[1]).split()) if found else ""


def test_the_name_and_that_the_code_is_in_force(look_ups: Handle, caseworker: Client) -> None:
    (record,) = look_ups.truth(look_ups.codes(1))
    answer = ask(caseworker, record["henkilotunnus"])
    assert answer.status_code == 200
    assert told(answer) == f"{record['etunimet']} {record['sukunimi']} Nimi VTJ:n mukaan Henkilötunnus on voimassa."
    assert "no-store" in answer["Cache-Control"]
    assert [event.outcome for event in AuditEvent.objects.filter(action="LOOK_UP").order_by("pk")] == [
        "asked",
        "answered",
    ]


def test_a_code_that_is_no_longer_in_force(look_ups: Handle, caseworker: Client) -> None:
    old = look_ups.happen("code_changed")
    (record,) = look_ups.truth([old])
    answer = ask(caseworker, old)
    assert str(record["sukunimi"]) in told(answer)
    assert "Henkilötunnus ei ole enää voimassa." in told(answer)
    assert record["henkilotunnus"] not in answer.content.decode()


def test_the_dead_and_the_unknown_look_the_same(look_ups: Handle, caseworker: Client) -> None:
    dead, unknown = (told(ask(caseworker, code)) for code in (look_ups.happen("died"), new_code()))
    assert dead == unknown
    assert dead.startswith("VTJ ei anna tästä tunnuksesta tietoja")


def test_a_person_under_a_ban_looks_like_anybody_and_no_place_is_told(look_ups: Handle, caseworker: Client) -> None:
    code = look_ups.happen("ban_started_with_move")
    (record,) = look_ups.truth([code])
    home = look_ups._control.world.person(code).homes[-1]  # type: ignore[union-attr]
    page = ask(caseworker, code).content.decode()
    (free,) = look_ups.truth([next(one for one in look_ups.codes() if one != code)])
    other = ask(caseworker, free["henkilotunnus"]).content.decode()
    assert home.street_fi not in page
    assert masked(page, record) == masked(other, free)


def masked(page: str, record: object) -> str:
    """The page without what belongs to the person and to the moment."""
    page = re.sub(r'csrfmiddlewaretoken" value="[^"]*"', "", page)
    for part in (f"{record['etunimet']} {record['sukunimi']}", record["henkilotunnus"]):  # type: ignore[index]
        page = page.replace(part, "x")
    return page


def test_nothing_tells_whether_the_person_is_in_the_register(
    look_ups: Handle, caseworker: Client, service_a: Service, service_b: Service
) -> None:
    (record,) = look_ups.truth(look_ups.codes(1))
    before = masked(ask(caseworker, record["henkilotunnus"]).content.decode(), record)
    person = PersonFactory.create(hetu=record["henkilotunnus"])
    for service in (service_a, service_b):
        ClientshipFactory.create(person=person, service=service)
    assert masked(ask(caseworker, record["henkilotunnus"]).content.decode(), record) == before
    Person.objects.filter(pk=person.pk).update(protected=True)
    assert masked(ask(caseworker, record["henkilotunnus"]).content.decode(), record) == before


def test_nothing_is_stored_and_what_was_typed_stays(look_ups: Handle, caseworker: Client, service_a: Service) -> None:
    code = look_ups.codes(1)[0]
    page = ask(caseworker, code, service=service_a.pk, start="1.2.2026", reference="PS-1").content.decode()
    assert f'value="{code}"' in page
    assert 'value="1.2.2026"' in page
    assert 'value="PS-1"' in page
    assert f'<option value="{service_a.pk}" selected>' in page
    assert '<option value="APPLICATION" selected>' in page
    assert "data-errors" not in page
    assert not Person.objects.exists()
    assert not Clientship.objects.exists()
    added = {"hetu": code, "service": service_a.pk, "start": "1.2.2026", "reason": "APPLICATION"}
    assert caseworker.post(ADD, added).status_code == 302
    assert Clientship.objects.count() == 1


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        ({"hetu": "x", "reason": "DECISION"}, ["hetu"]),
        ({"hetu": "", "reason": ""}, ["hetu", "reason"]),
        ({"reason": "CURIOSITY"}, ["hetu", "reason"]),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_nobody_is_asked(
    look_ups: Handle, caseworker: Client, asked: dict[str, str], wrong: list[str]
) -> None:
    page = caseworker.post(LOOK_UP, asked).content.decode()
    for name in ("hetu", "reason"):
        assert (f'href="#id_{name}"' in page) == (name in wrong)
        assert (f'id="id_{name}_error"' in page) == (name in wrong)
    assert "id_service_error" not in page
    assert look_ups.requests == []
    assert not AuditEvent.objects.filter(action="LOOK_UP").exists()


def test_the_reasons_are_a_short_list(look_ups: Handle, caseworker: Client) -> None:
    page = caseworker.get(ADD).content.decode()
    options = re.search(r'name="reason".*?</select>', page, re.DOTALL)
    assert options
    assert re.findall(r'value="(\w*)"', options[0]) == ["", *Reason.values]
    assert f'formaction="{LOOK_UP}#told"' in page


@pytest.mark.parametrize(
    ("fault", "words"), [("half", "VTJ ei juuri nyt vastaa"), ("unauthorized", "VTJ-kyselyt ovat pois käytöstä")]
)
def test_when_vtj_does_not_answer_the_page_says_so_kindly(
    look_ups: Handle, caseworker: Client, fault: str, words: str
) -> None:
    look_ups.faults(fault)
    code = look_ups.codes(1)[0]
    answer = ask(caseworker, code)
    assert answer.status_code == 200
    assert words in told(answer)
    assert f'value="{code}"' in answer.content.decode()


def test_the_days_limit_is_told_kindly(look_ups: Handle, caseworker: Client, settings: Settings) -> None:
    settings.VTJKYSELY_DAILY_LIMIT = 1
    one, other = look_ups.codes(2)
    ask(caseworker, one)
    assert told(ask(caseworker, other)) == "Olet tehnyt päivän 1 kyselyä. Voit silti lisätä asiakkaan."
    assert len(look_ups.requests) == 1


def test_without_settings_there_is_no_button_and_no_page(vtj: Handle, caseworker: Client) -> None:
    page = caseworker.get(ADD).content.decode()
    assert LOOK_UP not in page
    assert 'name="reason"' not in page
    assert page.count("<button") == page.count("<button class=")
    assert ask(caseworker, vtj.codes(1)[0]).status_code == 404
    assert caseworker.get(LOOK_UP).status_code == 404


def test_a_reload_by_address_leads_back_to_the_form(look_ups: Handle, caseworker: Client) -> None:
    assert caseworker.get(LOOK_UP)["Location"] == ADD


def test_h52_a_right_of_its_own_is_not_enough(look_ups: Handle, client: Client, bertta: User, eeva: User) -> None:
    for user in (bertta, eeva):
        client.force_login(user)
        assert ask(client, look_ups.codes(1)[0]).status_code == 403
    assert look_ups.requests == []


def test_the_auditor_reads_the_reason_in_words(
    look_ups: Handle, caseworker: Client, client: Client, eeva: User
) -> None:
    ask(caseworker, look_ups.codes(1)[0])
    client.force_login(eeva)
    page = client.get(reverse("audit-log")).content.decode()
    for words in ("Kysyi VTJ:stä, kenen henkilötunnus on", "syy: Uusi hakemus tai lähete", "vastattu", "kysytty"):
        assert words in page


def test_b16_the_administrator_lets_look_ups_go_on(
    look_ups: Handle, caseworker: Client, client: Client, bertta: User, aino: User
) -> None:
    (record,) = look_ups.truth(look_ups.codes(1))
    look_ups.faults("unauthorized=1")
    ask(caseworker, record["henkilotunnus"])
    again = reverse("sync-resume-look-ups")
    assert again not in caseworker.get(reverse("clients")).content.decode()
    client.force_login(bertta)
    page = client.get(reverse("sync-history")).content.decode()
    assert "VTJ-kyselyt on pysäytetty" in page
    assert "VTJKYSELY_USERNAME" in page
    assert again in page
    assert client.post(again)["Location"] == reverse("sync-history")
    assert again not in client.get(reverse("sync-history")).content.decode()
    client.force_login(aino)
    assert str(record["sukunimi"]) in told(ask(client, record["henkilotunnus"]))


def test_a_stop_of_look_ups_wakes_no_pause_that_has_ended(look_ups: Handle, client: Client, bertta: User) -> None:
    from vtjsync.models import SyncControl

    ended = timezone.now() - timedelta(days=1)
    SyncControl.objects.create(paused_until=ended, look_ups_stopped_at=ended, look_ups_stopped_reason="x")
    client.force_login(bertta)
    page = client.get(reverse("sync-history")).content.decode()
    assert "VTJ-kyselyt on pysäytetty" in page
    assert "VTJ-päivitys on keskeytetty" not in page
    assert "VTJ:stä ei nyt kysytä tietoja" not in page
