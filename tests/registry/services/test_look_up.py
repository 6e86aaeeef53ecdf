"""Looking a code up before a client is added: who may, how often, and the evidence (domain.md G46, G47)."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection
from django.utils import timezone
from pytest_django import Settings

from registry.clock import today
from registry.hetu import Hetu
from registry.models import AuditEvent, DataPermit, Person, PersonCode, SubjectCode, User
from registry.ports import Identity
from registry.services import look_up
from registry.services.errors import Refused
from registry.services.look_up import Reason
from tests import evidence
from tests.cast import access, clerk
from tests.factories import ClientshipFactory, PersonFactory, code_of, new_code
from vtjsync.simulator.server import Handle

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("permit")]


def looked_up(user: User, code: str, reason: Reason = Reason.APPLICATION) -> Identity:
    return look_up.look_up(access(user), Hetu(code), reason)


def events(user: User) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action="LOOK_UP", user_id=user.pk).order_by("pk"))


def outcomes(user: User) -> list[str]:
    return [event.outcome for event in events(user)]


def test_g46_an_event_before_vtj_is_asked_and_one_before_the_answer(look_ups: Handle, aino: User) -> None:
    identity = looked_up(aino, look_ups.codes(1)[0], Reason.UNCLEAR)
    assert identity.in_force
    asked, answered = events(aino)
    assert (asked.outcome, answered.outcome) == ("asked", "answered")
    for event in (asked, answered):
        assert (event.username, event.basis, event.origin) == ("aino", "test", "127.0.0.1")
        assert (event.subjects, event.count, event.details) == ([], 1, {"reason": "UNCLEAR"})
    ((_, question),) = look_ups.requests
    assert question["Loppukayttaja"] == "aino"


@pytest.mark.parametrize(("outcome", "questions"), [("asked", 0), ("answered", 1)])
def test_g46_no_event_no_question_and_no_answer(look_ups: Handle, aino: User, outcome: str, questions: int) -> None:
    table = "ALTER TABLE registry_auditevent"
    with connection.cursor() as cursor:
        cursor.execute(f"{table} ADD CONSTRAINT the_disk_is_full CHECK (outcome <> '{outcome}') NOT VALID")
    try:
        with pytest.raises(IntegrityError, match="the_disk_is_full"):
            looked_up(aino, look_ups.codes(1)[0])
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"{table} DROP CONSTRAINT the_disk_is_full")
    assert len(look_ups.requests) == questions


def test_g47_a_person_of_the_register_is_the_subject_by_any_code(look_ups: Handle, aino: User) -> None:
    former = look_ups.happen("code_changed", look_ups.codes(1)[0])
    (record,) = look_ups.truth([former])
    person = PersonFactory.create(hetu=Hetu(record["henkilotunnus"]))
    person.codes.create(hetu=former, current=False)
    looked_up(aino, former)
    looked_up(aino, record["henkilotunnus"])
    assert [event.subjects for event in events(aino)] == [[person.subject]] * 4


def test_nothing_is_stored_but_the_events(look_ups: Handle, aino: User) -> None:
    looked_up(aino, look_ups.codes(1)[0])
    for model in (Person, PersonCode, SubjectCode):
        assert not model.objects.exists()


def test_the_register_says_nothing_of_whom_it_has(look_ups: Handle, aino: User, celia: User, unit_b: object) -> None:
    code, other = look_ups.codes(2)
    before = looked_up(aino, code)
    person = PersonFactory.create(hetu=Hetu(code), protected=True, last_name="Toinen")
    ClientshipFactory.create(person=person, service__unit=unit_b)
    assert looked_up(aino, code) == before == looked_up(celia, code)
    assert before.name != looked_up(aino, other).name


def test_what_vtj_does_not_tell_is_evidence_without_a_why(look_ups: Handle, aino: User) -> None:
    dead = look_ups.happen("died")
    for code in (dead, new_code()):
        assert looked_up(aino, code) == Identity()
    assert outcomes(aino) == ["asked", "nothing told"] * 2


def test_no_answer_is_told_in_kind_words_and_does_not_count(look_ups: Handle, aino: User, settings: Settings) -> None:
    settings.VTJKYSELY_DAILY_LIMIT = 1
    look_ups.faults("half=2")
    for _ in range(2):
        with pytest.raises(Refused, match="VTJ ei juuri nyt vastaa"):
            looked_up(aino, look_ups.codes(1)[0])
    assert outcomes(aino) == ["asked", "no answer"] * 2
    assert looked_up(aino, look_ups.codes(1)[0]).in_force
    assert look_up.made_today(aino) == 1


def test_b16_closed_look_ups_are_told_in_kind_words(look_ups: Handle, aino: User, celia: User) -> None:
    look_ups.faults("unauthorized=1")
    for user in (aino, celia, aino):
        with pytest.raises(Refused, match="pois käytöstä"):
            looked_up(user, look_ups.codes(1)[0])
    assert len(look_ups.requests) == 1


def test_a_limit_for_each_user_and_day(look_ups: Handle, aino: User, celia: User, settings: Settings) -> None:
    settings.VTJKYSELY_DAILY_LIMIT = 2
    codes = look_ups.codes(3)
    for code in codes[:2]:
        looked_up(aino, code)
    for _ in range(2):
        with pytest.raises(Refused, match="päivän 2 kyselyä"):
            looked_up(aino, codes[2])
    assert outcomes(aino)[4:] == ["refused", "refused"]
    assert len(look_ups.requests) == 2
    assert looked_up(celia, codes[2]).in_force


def test_g51_the_next_day_begins_at_helsinkis_midnight(look_ups: Handle, aino: User, settings: Settings) -> None:
    settings.VTJKYSELY_DAILY_LIMIT = 1
    code = look_ups.codes(1)[0]
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    for at, counts in ((midnight - timedelta(seconds=1), 0), (midnight, 1)):
        evidence.event(action="LOOK_UP", user_id=aino.pk, outcome="asked", at=at)
        assert look_up.made_today(aino) == counts
    with pytest.raises(Refused):
        looked_up(aino, code)


def test_clicks_at_once_are_counted_one_by_one(look_ups: Handle, aino: User, settings: Settings) -> None:
    settings.VTJKYSELY_DAILY_LIMIT = 2
    refusals: list[Refused] = []

    def click() -> None:
        try:
            looked_up(aino, look_ups.codes(1)[0])
        except Refused as error:
            refusals.append(error)
        finally:
            connection.close()

    threads = [Thread(target=click) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refusals) == 4
    assert len(look_ups.requests) == 2
    assert sorted(outcomes(aino)) == ["answered"] * 2 + ["asked"] * 2 + ["refused"] * 4


def test_h52_only_who_adds_clients_looks_codes_up(look_ups: Handle, bertta: User, eeva: User, aino: User) -> None:
    for who in (access(bertta), access(eeva), clerk):
        assert not look_up.offered(who)
        with pytest.raises(PermissionDenied):
            look_up.look_up(who, Hetu(look_ups.codes(1)[0]), Reason.DECISION)
    assert look_up.offered(access(aino))
    assert look_ups.requests == []
    assert not AuditEvent.objects.filter(action="LOOK_UP").exists()


def test_without_settings_there_are_none(vtj: Handle, aino: User) -> None:
    assert not look_up.offered(access(aino))
    with pytest.raises(PermissionDenied):
        looked_up(aino, vtj.codes(1)[0])


def test_a2_without_a_permit_in_force_nobody_is_asked_about(look_ups: Handle, aino: User) -> None:
    DataPermit.objects.update(valid_to=today() - timedelta(days=1))
    assert not look_up.offered(access(aino))
    with pytest.raises(PermissionDenied):
        looked_up(aino, look_ups.codes(1)[0])
    assert look_ups.requests == []


def test_g49_no_event_holds_a_code_or_a_name(look_ups: Handle, aino: User) -> None:
    (record,) = look_ups.truth(look_ups.codes(1))
    person = PersonFactory.create(hetu=Hetu(record["henkilotunnus"]))
    looked_up(aino, code_of(person))
    text = repr([vars(event) for event in events(aino)])
    assert record["henkilotunnus"] not in text
    assert str(record["sukunimi"]) not in text
