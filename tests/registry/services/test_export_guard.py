"""The export as others read it: what is not told, to whom, and how the file comes to be (domain.md E38, E41, G46)."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from registry.clock import today
from registry.models import AuditEvent, DataPermit, Person, PersonCode, ProblemKind, Service, User
from registry.record import Group
from registry.services import export as service
from registry.services import vtj_data
from registry.services.export import Options, export
from tests.cast import access, clerk
from tests.factories import (
    ForeignAddressFactory,
    PersonFactory,
    ProblemFactory,
    code_of,
    crowd,
    new_code,
)
from vtjsync.engine.connection import database_now
from vtjsync.models import Cohort, Enrolment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("permit")]

EVERYTHING = Options(protected=True, former=True)
PLACES = ("vakinainen_kotimainen_osoite", "vakinaiset_ulkomaiset_osoitteet", "kotikunta")
NOWHERE = [None, [], None]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "register.jsonl"


@pytest.mark.parametrize(("hours", "stays"), [(1.1, False), (0.9, True)])
def test_what_a_killed_export_left_is_cleared_away_by_the_next(file: Path, hours: float, *, stays: bool) -> None:
    part = file.with_name(f".{file.name}.17.part")
    part.write_text("{}")
    at = time.time() - hours * 3600
    os.utime(part, (at, at))
    export(clerk, file, EVERYTHING)
    assert part.exists() is stays


def told(file: Path, options: Options = EVERYTHING) -> list[dict[str, Any]]:
    export(clerk, file, options)
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def places(line: dict[str, Any]) -> list[Any]:
    return [line[name] for name in PLACES]


def person_abroad(**more: object) -> Person:
    """Somebody with a value in every location group."""
    person = PersonFactory.create(home=True, **more)
    ForeignAddressFactory.create(person=person)
    return person


def test_e38_protected_persons_come_only_when_asked_for_and_never_with_a_place(file: Path) -> None:
    protected, other = PersonFactory.create(protected=True), PersonFactory.create(home=True)
    assert [line["henkilotunnus"] for line in told(file, Options())] == [code_of(other)]
    assert [line["henkilotunnus"] for line in told(file, Options(former=True))] == [code_of(other)]
    lines = {line["henkilotunnus"]: line for line in told(file, Options(protected=True))}
    assert lines.keys() == {code_of(protected), code_of(other)}
    assert lines[code_of(protected)]["turvakielto"] is True
    assert places(lines[code_of(protected)]) == NOWHERE
    assert lines[code_of(protected)]["sukunimi"] == protected.last_name


def test_d31_former_codes_come_only_when_asked_for(file: Path) -> None:
    person, former = PersonFactory.create(), new_code()
    PersonCode.objects.create(person=person, hetu=former, current=False)
    for options in (Options(), Options(protected=True)):
        assert told(file, options)[0]["edelliset_henkilotunnukset"] == []
        assert former not in file.read_text()
    assert told(file, Options(former=True))[0]["edelliset_henkilotunnukset"] == [former]


def test_e41_a_location_that_is_not_confirmed_is_left_out(file: Path, settings: Settings) -> None:
    settings.LOCATION_WARN = timedelta(hours=26)
    now = timezone.now()
    fresh = person_abroad(checked_at=now - timedelta(hours=25, minutes=55))
    old = person_abroad(checked_at=now - timedelta(hours=26, minutes=5))
    never = person_abroad(checked_at=None)
    lines = {line["henkilotunnus"]: line for line in told(file)}
    assert None not in places(lines[code_of(fresh)])
    assert places(lines[code_of(old)]) == places(lines[code_of(never)]) == NOWHERE
    assert lines[code_of(old)]["sukunimi"] == old.last_name
    assert lines[code_of(old)]["vtj_tarkistettu"] is not None
    assert lines[code_of(never)]["vtj_tarkistettu"] is None


def test_e41_the_last_poll_of_the_cohort_confirms_unless_a_question_is_open(file: Path) -> None:
    at = database_now() - timedelta(hours=1)
    cohort = Cohort.objects.create(cursor=1, cursor_at=at, up_to_date_as_of=at)
    polled, asked = (person_abroad(checked_at=at - timedelta(days=9)) for _ in range(2))
    Person.objects.filter(pk=asked.pk).update(ask="PLACE")
    for one in (polled, asked):
        Enrolment.objects.create(person=one, cohort=cohort)
    lines = {line["henkilotunnus"]: line for line in told(file)}
    assert None not in places(lines[code_of(polled)])
    assert datetime.fromisoformat(lines[code_of(polled)]["vtj_tarkistettu"]) == at.replace(microsecond=0)
    assert places(lines[code_of(asked)]) == NOWHERE


def test_b14_a_location_in_doubt_is_left_out(file: Path) -> None:
    person_abroad(location_hidden=True)
    (line,) = told(file)
    assert places(line) == NOWHERE


def test_a2_without_a_permit_no_location_is_told(file: Path) -> None:
    person_abroad()
    DataPermit.objects.update(valid_to=today())
    assert None not in places(told(file)[0])
    DataPermit.objects.update(valid_to=today() - timedelta(days=1))
    (line,) = told(file)
    assert (places(line), line["vtj_tila"]) == (NOWHERE, "EI_LUPAA")


@pytest.mark.parametrize(
    ("lost", "hidden"),
    [(Group.HOME, [0]), (Group.FOREIGN, [1]), (Group.MUNICIPALITY, [2]), (Group.BAN, [0, 1, 2])],
)
def test_c24_a_group_that_the_permit_no_longer_grants_is_not_told(file: Path, lost: Group, hidden: list[int]) -> None:
    person_abroad()
    DataPermit.objects.update(groups=[str(group) for group in Group if group is not lost])
    shown = places(told(file)[0])
    assert [place for place, value in enumerate(shown) if not value] == hidden


def test_a_name_that_differs_from_the_list_hides_all_that_vtj_says(file: Path) -> None:
    person = person_abroad(deceased=True, death_date=date(2020, 1, 1), death_date_precision=3)
    PersonCode.objects.create(person=person, hetu=new_code(), current=False)
    ProblemFactory.create(person=person, kind=ProblemKind.NAME_MISMATCH)
    (line,) = told(file)
    assert places(line) == NOWHERE
    assert [line[name] for name in ("etunimet", "sukunimi", "aidinkieli", "kuolinpv")] == [None] * 4
    assert (line["kuollut"], line["edelliset_henkilotunnukset"], line["vtj_tila"]) == (False, [], "SELVITETTAVA")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("statement", ["SELECT id, version", "SELECT person_id, street"])
@pytest.mark.parametrize("options", [EVERYTHING, Options()], ids=["everything", "nothing more"])
def test_e34_a_ban_that_begins_during_the_export_tells_no_place(file: Path, statement: str, options: Options) -> None:
    person = person_abroad()
    started = []

    def ban() -> None:
        with transaction.atomic():
            held = vtj_data.read(vtj_data.lock([person.pk]))[person.pk]
            held.record = vtj_data.stay_protected(held.record)
            vtj_data.write([held], [], [person.pk], None)
        connection.close()

    def wrap(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.startswith(statement) and not started:
            started.append(sql)
            with ThreadPoolExecutor(1) as pool:
                pool.submit(ban).result()
        return execute(sql, *rest)

    with connection.execute_wrapper(wrap):
        lines = told(file, options)
    assert started
    assert [places(line) for line in lines] == ([NOWHERE] if options.protected else [])


def grant(user: User, *rights: str) -> User:
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return user


def test_only_who_may_exports_and_more_only_with_the_right_for_it(file: Path, aino: User) -> None:
    PersonFactory.create()
    with pytest.raises(PermissionDenied):
        export(access(aino), file, Options())
    for rights, options in (
        (["export_register"], Options(protected=True)),
        (["export_register"], Options(former=True)),
        (["export_register", "handle_protected"], EVERYTHING),
        (["handle_protected", "see_former"], Options()),
    ):
        with pytest.raises(PermissionDenied):
            export(access(grant(User.objects.get(pk=aino.pk), *rights)), file, options)
    assert list(file.parent.iterdir()) == []
    assert not AuditEvent.objects.exists()
    user = grant(User.objects.get(pk=aino.pk), "export_register", "handle_protected", "see_former")
    assert export(access(user), file, EVERYTHING) == 1


def test_g46_the_event_names_who_was_told_and_what(file: Path) -> None:
    protected, other = PersonFactory.create(protected=True), PersonFactory.create()
    export(clerk, file, Options())
    export(clerk, file, EVERYTHING)
    first, second = AuditEvent.objects.order_by("pk")
    assert (first.action, first.subjects, first.count, first.basis) == ("EXPORT", [other.subject], 1, "command")
    assert first.details == {"protected": "False", "former": "False"}
    assert set(second.subjects) == {protected.subject, other.subject}
    assert second.details == {"protected": "True", "former": "True"}


def test_g46_no_event_no_file(file: Path) -> None:
    PersonFactory.create()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE registry_auditevent ADD CONSTRAINT is_full CHECK (action <> 'EXPORT')")
    with pytest.raises(Exception, match="is_full"), transaction.atomic():
        export(clerk, file, Options())
    assert list(file.parent.iterdir()) == []


def test_the_file_is_its_owners_and_takes_the_place_of_an_older_one(file: Path) -> None:
    file.write_text("older")
    file.chmod(0o644)
    PersonFactory.create()
    export(clerk, file, Options())
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text() != "older"
    assert list(file.parent.iterdir()) == [file]


def test_the_file_is_there_whole_or_not_at_all(file: Path) -> None:
    file.write_text("older")
    PersonFactory.create_batch(3)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE registry_clientship RENAME COLUMN reference TO renamed")
    with pytest.raises(Exception, match="reference"), transaction.atomic():
        export(clerk, file, Options())
    assert file.read_text() == "older"
    assert list(file.parent.iterdir()) == [file]
    assert not AuditEvent.objects.exists()


def test_a_path_that_cannot_be_a_file_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    for path in (tmp_path, Path("/"), Path(), tmp_path / "no folder" / "file"):
        with pytest.raises(OSError, match="irectory"):
            export(clerk, path, Options())
    assert not AuditEvent.objects.exists()
    assert list(tmp_path.iterdir()) == []


def test_many_are_read_in_chunks_with_the_same_statements_for_each(
    file: Path,
    service_a: Service,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    crowd(service_a, 50)
    with django_assert_max_num_queries(13) as few:
        assert export(clerk, file, EVERYTHING) == 50
    crowd(service_a, 300)
    with django_assert_max_num_queries(len(few)):
        assert export(clerk, file, EVERYTHING) == 350
    whole = file.read_bytes()
    monkeypatch.setattr(service, "CHUNK", 100)
    export(clerk, file, EVERYTHING)
    assert file.read_bytes() == whole
