"""The truth says what basic data means, worked out here once more from VTJ's messages alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from tests.simulator.calls import Caller
from vtjsync.simulator.server import Handle

Row = dict[str, Any]
LENGTH = {"PAIVA": 10, "KUUKAUSI": 7, "VUOSI": 4}
FIRST = {"PAIVA": "", "KUUKAUSI": "-01", "VUOSI": "-01-01"}


def text(when: Row | None) -> str | None:
    return when["arvo"][: LENGTH[when["tarkkuus"]]] if when else None


def in_force(row: Row, today: str) -> bool:
    start, end = row.get("alkupv"), row.get("loppupv")
    first = text(start) + FIRST[start["tarkkuus"]] if start else ""  # type: ignore[operator]
    return first <= today and (end is None or end["arvo"] >= today)


def one(rows: list[Row], group: str, today: str = "9999") -> Row:
    found = [row for row in rows if row["tietoryhma"] == group and in_force(row, today)]
    assert len(found) < 2
    return found[0] if found else {}


def names(row: Row | None) -> Row:
    return {language: (row or {}).get(language) for language in ("fi", "sv")}


def home(row: Row) -> Row | None:
    parts = ("katunumero", "huoneistokirjain", "huoneistonumero", "jakokirjain", "postinumero", "kuntakoodi")
    return row and {part: row.get(part) for part in parts} | {
        "katunimi": names(row["katunimi"]),
        "postitoimipaikka": names(row["postitoimipaikka"]),
        "alkupv": text(row["alkupv"]),
    }


def foreign(row: Row) -> Row:
    parts = ("lahiosoite", "paikkakunta", "valtiokoodi", "valtionimi")
    return {part: row.get(part) for part in parts} | {"alkupv": text(row["alkupv"])}


def meaning(person: Row, today: date) -> Row:
    """The export's record of somebody who is not under a ban."""
    rows, day = person["tietoryhmat"], today.isoformat()
    code, name, language = one(rows, "HENKILOTUNNUS_KORJAUS"), one(rows, "HENKILON_NIMI"), one(rows, "AIDINKIELI")
    death, town = one(rows, "KUOLINPAIVA"), one(rows, "KOTIKUNTA")
    in_words = language.get("kielikoodi") == "98" or language.get("kielikoodiISO6392") == "mis"
    abroad = [row for row in rows if row["tietoryhma"] == "VAKINAINEN_ULKOMAINEN_OSOITE" and in_force(row, day)]
    return {
        "henkilotunnus": person["henkilotunnus"],
        "edelliset_henkilotunnukset": sorted(code.get("edellisetHenkilotunnukset", [])),
        "etunimet": name.get("etunimiUTF8", name.get("etunimi")),
        "sukunimi": name.get("sukunimiUTF8", name.get("sukunimi")),
        "aidinkieli": {"kielikoodi": language["kielikoodi"], "nimi": language.get("nimi") if in_words else None},
        "kuollut": death.get("kuollut", False),
        "kuolinpv": text(death.get("kuolinpv")),
        "turvakielto": False,
        "turvakielto_loppupv": None,
        "vakinainen_kotimainen_osoite": home(one(rows, "VAKINAINEN_KOTIMAINEN_OSOITE", day)) or None,
        "vakinaiset_ulkomaiset_osoitteet": sorted(map(foreign, abroad), key=str),
        "kotikunta": {
            "kuntakoodi": town["kuntakoodi"],
            "kuntaanmuuttopv": text(town.get("kuntaanMuuttopv") or town["kuntaanMuuttoPv"]),
        }
        if town
        else None,
        "asiakkuudet": [],
        "vtj_tila": None,
        "vtj_tarkistettu": None,
    }


def compared(simulator: Handle) -> tuple[int, int]:
    """Compares everybody; returns how many are free and how many under a ban."""
    truth = {record["henkilotunnus"]: record for record in simulator.truth()}
    codes = simulator.codes()
    assert list(truth) == sorted(codes)
    with Caller(simulator) as call:
        people = [
            person
            for first in range(0, len(codes), 1000)
            for person in call.basic_data(codes[first : first + 1000]).json()["perustiedot"]
        ]
    assert [person["henkilotunnus"] for person in people] == codes
    free = 0
    for person in people:
        record: Row = dict(truth[person["henkilotunnus"]])
        if one(person["tietoryhmat"], "TURVAKIELTO").get("turvakieltoAktiivinen"):
            assert record["turvakielto"]
            assert record["vakinainen_kotimainen_osoite"] is record["kotikunta"] is None
            assert record["vakinaiset_ulkomaiset_osoitteet"] == []
        else:
            free += 1
            record["vakinaiset_ulkomaiset_osoitteet"] = sorted(record["vakinaiset_ulkomaiset_osoitteet"], key=str)
            assert record == meaning(person, simulator.now.date())
    return free, len(people) - free


def test_truth_is_what_basic_data_means_at_the_start_and_after_a_long_time(run: Callable[..., Handle]) -> None:
    simulator = run(population=1500, activity=5)
    assert compared(simulator) == (1497, 3)
    simulator.advance(90)
    free, banned = compared(simulator)
    assert free + banned < 1500
    assert banned > 3


def test_a_move_to_come_is_in_force_from_its_day(run: Callable[..., Handle]) -> None:
    simulator = run()
    code = simulator.happen("move_to_come")
    before = simulator.truth([code])
    simulator.advance(21)
    after = simulator.truth([code])
    assert before[0]["vakinainen_kotimainen_osoite"] != after[0]["vakinainen_kotimainen_osoite"]
    compared(simulator)


def test_truth_of_a_former_code_is_the_persons(simulator: Handle) -> None:
    old = simulator.happen("code_changed")
    (record,) = simulator.truth([old, "010190-999P"])
    assert record["henkilotunnus"] != old
    assert record["edelliset_henkilotunnukset"] == [old]


def test_truth_of_a_merged_person_is_the_survivors(simulator: Handle) -> None:
    everybody = set(simulator.codes())
    survivor = simulator.happen("codes_merged")
    (removed,) = everybody - set(simulator.codes())
    (record,) = simulator.truth([survivor, removed])
    assert record["henkilotunnus"] == survivor
    assert record["edelliset_henkilotunnukset"] == [removed]


def test_censored_places_are_sometimes_not_even_named(run: Callable[..., Handle]) -> None:
    simulator = run(population=5000)
    banned = [record["henkilotunnus"] for record in simulator.truth() if record["turvakielto"]]
    with Caller(simulator) as call:
        people = call.basic_data(banned).json()["perustiedot"]
    censored = [any("turvakiellonAlaisetKentat" in row for row in person["tietoryhmat"]) for person in people]
    assert len(banned) == 10
    assert any(censored)
    readable = {"katunimi", "lahiosoite", "kuntakoodi"}
    assert not any(readable & set(row) for person in people for row in person["tietoryhmat"])
