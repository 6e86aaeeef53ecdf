"""The export as others read it: exactly the members of outside.md."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from registry.clock import HELSINKI, today
from registry.models import TASKS, DataPermit, Person, PersonCode, ProblemKind, Service
from registry.services.export import Options, export
from tests.cast import clerk
from tests.factories import (
    ClientshipFactory,
    ForeignAddressFactory,
    PersonFactory,
    ProblemFactory,
    ProviderFactory,
    code_of,
    new_code,
    pair,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("permit")]

EVERYTHING = Options(protected=True, former=True)
PLACES = ("vakinainen_kotimainen_osoite", "vakinaiset_ulkomaiset_osoitteet", "kotikunta")
NOWHERE = [None, [], None]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "register.jsonl"


def told(file: Path, options: Options = EVERYTHING) -> list[dict[str, Any]]:
    export(clerk, file, options)
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def places(line: dict[str, Any]) -> list[Any]:
    return [line[name] for name in PLACES]


def abroad(person: Person, **more: object) -> None:
    ForeignAddressFactory.create(person=person, **more)


def test_every_member_as_outside_md_has_it(file: Path, service_a: Service) -> None:
    at = timezone.now().replace(microsecond=500_000)
    person = PersonFactory.create(home=True, first_names="Hanna", last_name="Kolehmainen Tes", checked_at=at)
    ForeignAddressFactory.create(person=person, country_code="233", street="Pikk 1", locality="10123 TALLINN")
    ClientshipFactory.create(person=person, service=service_a, start=date(2026, 1, 31))
    (line,) = told(file)
    assert line == {
        "henkilotunnus": code_of(person),
        "edelliset_henkilotunnukset": [],
        "etunimet": "Hanna",
        "sukunimi": "Kolehmainen Tes",
        "aidinkieli": {"kielikoodi": "fi", "nimi": None},
        "kuollut": False,
        "kuolinpv": None,
        "turvakielto": False,
        "turvakielto_loppupv": None,
        "vakinainen_kotimainen_osoite": {
            "katunimi": {"fi": "Mikkolantie", "sv": "Mickelsvägen"},
            "katunumero": "30",
            "huoneistokirjain": "F",
            "huoneistonumero": "028",
            "jakokirjain": None,
            "postinumero": "00640",
            "postitoimipaikka": {"fi": "HELSINKI", "sv": "HELSINGFORS"},
            "kuntakoodi": "091",
            "alkupv": "1992-01-01",
        },
        "vakinaiset_ulkomaiset_osoitteet": [
            {
                "lahiosoite": "Pikk 1",
                "paikkakunta": "10123 TALLINN",
                "valtiokoodi": "233",
                "valtionimi": None,
                "alkupv": "2020-01-24",
            }
        ],
        "kotikunta": {"kuntakoodi": "091", "kuntaanmuuttopv": "1992-01-01"},
        "asiakkuudet": [
            {"palvelu": "KOTI", "tuottaja": None, "alkupv": "2026-01-31", "loppupv": None, "viite": None},
        ],
        "vtj_tila": "AJAN_TASALLA",
        "vtj_tarkistettu": at.astimezone(HELSINKI).isoformat(timespec="seconds"),
    }
    assert list(line) == [
        "henkilotunnus",
        "edelliset_henkilotunnukset",
        "etunimet",
        "sukunimi",
        "aidinkieli",
        "kuollut",
        "kuolinpv",
        "turvakielto",
        "turvakielto_loppupv",
        *PLACES,
        "asiakkuudet",
        "vtj_tila",
        "vtj_tarkistettu",
    ]


def test_null_where_there_is_no_value(file: Path) -> None:
    PersonFactory.create(awaiting=True)
    bare = {"home_street_fi": "Tie", "home_post_office_fi": "OULU", "municipality_code": "564"}
    PersonFactory.create(language_code=None, language_name="saame", **bare)
    awaiting, told_little = told(file)
    names = ("etunimet", "sukunimi", "aidinkieli", "kuolinpv", "turvakielto_loppupv", "vtj_tarkistettu")
    assert [awaiting[name] for name in names] == [None] * 6
    assert places(awaiting) == NOWHERE
    assert (awaiting["kuollut"], awaiting["turvakielto"], awaiting["asiakkuudet"]) == (False, False, [])
    assert told_little["aidinkieli"] == {"kielikoodi": None, "nimi": "saame"}
    home = told_little["vakinainen_kotimainen_osoite"]
    assert (home["katunimi"], home["postitoimipaikka"]) == ({"fi": "Tie", "sv": None}, {"fi": "OULU", "sv": None})
    assert {home[name] for name in ("katunumero", "postinumero", "kuntakoodi", "alkupv")} == {None}
    assert told_little["kotikunta"] == {"kuntakoodi": "564", "kuntaanmuuttopv": None}


@pytest.mark.parametrize(("precision", "text"), [(1, "1965"), (2, "1965-11"), (3, "1965-11-09")])
def test_a_date_tells_only_what_is_known(file: Path, precision: int, text: str) -> None:
    day = date(1965, 11, 9)
    person = PersonFactory.create(
        home=True,
        home_start=day,
        home_start_precision=precision,
        municipality_moved_in=day,
        municipality_moved_in_precision=precision,
        deceased=True,
        death_date=day,
        death_date_precision=precision,
    )
    abroad(person, start=day, start_precision=precision)
    PersonFactory.create(protected=True, protection_end=day, protection_end_precision=precision)
    line, protected = told(file)
    assert (line["kuollut"], line["kuolinpv"]) == (True, text)
    assert line["vakinainen_kotimainen_osoite"]["alkupv"] == text
    assert line["vakinaiset_ulkomaiset_osoitteet"][0]["alkupv"] == text
    assert line["kotikunta"]["kuntaanmuuttopv"] == text
    assert protected["turvakielto_loppupv"] == text


def test_persons_clientships_codes_and_addresses_abroad_come_in_order(
    file: Path, service_a: Service, service_b: Service
) -> None:
    codes = sorted(new_code() for _ in range(4))
    persons = [PersonFactory.create(hetu=code) for code in reversed(codes[:3])]
    one = persons[0]
    for start in (date(2026, 3, 1), date(2026, 1, 1)):
        ClientshipFactory.create(person=one, service=service_b, start=start, end=start)
    ClientshipFactory.create(person=one, service=service_a, start=date(2026, 2, 1), provider=ProviderFactory.create())
    ClientshipFactory.create(person=one, service=service_a, start=date(2026, 1, 1), end=date(2026, 1, 9), reference="A")
    for street in ("B", "A"):
        abroad(one, street=street, start=date(2020, 1, 1))
    abroad(one, street="C", start=date(2019, 1, 1))
    for code in (new_code(), codes[3], new_code()):
        PersonCode.objects.create(person=one, hetu=code, current=False)
    lines = told(file)
    assert [line["henkilotunnus"] for line in lines] == codes[:3]
    last = lines[2]
    assert [(each["palvelu"], each["alkupv"]) for each in last["asiakkuudet"]] == [
        ("KOTI", "2026-01-01"),
        ("KOTI", "2026-02-01"),
        ("KUNTO", "2026-01-01"),
        ("KUNTO", "2026-03-01"),
    ]
    first = last["asiakkuudet"][0]
    assert (first["loppupv"], first["viite"], first["tuottaja"]) == ("2026-01-09", "A", None)
    assert last["asiakkuudet"][1]["tuottaja"] == "0101263-6"
    assert [each["lahiosoite"] for each in last["vakinaiset_ulkomaiset_osoitteet"]] == ["C", "A", "B"]
    assert last["edelliset_henkilotunnukset"] == sorted(last["edelliset_henkilotunnukset"])
    assert len(last["edelliset_henkilotunnukset"]) == 3


def test_one_line_of_utf8_for_each_person(file: Path) -> None:
    PersonFactory.create(last_name='Äyräs "\n\\')
    PersonFactory.create()
    assert export(clerk, file, EVERYTHING) == 2
    content = file.read_bytes()
    assert content.count(b"\n") == 2
    assert content.endswith(b"}\n")
    assert "Äyräs".encode() in content
    assert json.loads(content.splitlines()[0])["sukunimi"] == 'Äyräs "\n\\'


def test_an_empty_register_is_an_empty_file(file: Path) -> None:
    assert told(file) == []
    assert file.read_bytes() == b""


def test_vtj_tila_tells_where_the_person_stands(file: Path) -> None:
    expected = {}

    def state(tila: str, *problems: ProblemKind, closed: bool = False, **more: object) -> None:
        person = PersonFactory.create(**more)
        for kind in problems:
            if kind is ProblemKind.TWO_ENTRIES and not closed:
                other = PersonFactory.create()
                pair(person, other)
                expected[code_of(other)] = "SELVITETTAVA"
            else:
                ProblemFactory.create(person=person, kind=kind, closed_at=timezone.now() if closed else None)
        expected[code_of(person)] = tila

    state("AJAN_TASALLA")
    state("AJAN_TASALLA", *ProblemKind, closed=True)
    state("ODOTTAA", awaiting=True)
    state("EI_LOYDY", ProblemKind.NOT_FOUND, status="NOT_FOUND")
    state("EI_LOYDY", status="NOT_FOUND")
    state("SELVITETTAVA", ProblemKind.NOT_FOUND, ProblemKind.TWO_ENTRIES, status="NOT_FOUND")
    # A hand-over and a question about a contact address say nothing of what VTJ tells (domain.md E38, E39).
    for kind in TASKS:
        state("AJAN_TASALLA", kind)
    for kind in set(ProblemKind) - {ProblemKind.NOT_FOUND} - TASKS:
        state("SELVITETTAVA", kind)
    assert {line["henkilotunnus"]: line["vtj_tila"] for line in told(file)} == expected
    DataPermit.objects.update(valid_to=today() - timedelta(days=1))
    assert {line["vtj_tila"] for line in told(file)} == {"EI_LUPAA"}
