"""Every kind of event occurs, and its entry has VTJ's shape (wire.md 2, domain.md C and D)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest

from tests.simulator.calls import Caller
from tests.simulator.conftest import START
from vtjsync.simulator.events import KINDS
from vtjsync.simulator.rows import GROUPS
from vtjsync.simulator.server import Handle, start

CODE, NAME, LANGUAGE, DEATH, BAN, HOME, FOREIGN, TOWN = GROUPS
MOVED = {(HOME, "LISATTY"), (HOME, "MUUTETTU")}
CORRECTED = ("KORJATTAVA", "KORJATTU")

# What the entry of each kind holds at least.
HELD: dict[str, set[tuple[str, str]]] = {
    "moved_in_municipality": MOVED,
    "moved_to_municipality": MOVED | {(TOWN, "LISATTY")},
    "moved_abroad": {(FOREIGN, "LISATTY"), (TOWN, "LISATTY")},
    "moved_back": {(FOREIGN, "MUUTETTU"), (HOME, "LISATTY")},
    "foreign_address_added": {(FOREIGN, "LISATTY")},
    "foreign_address_removed": {(FOREIGN, "POISTETTU")},
    "address_removed": {(HOME, "POISTETTU")},
    "address_corrected": {(HOME, attribute) for attribute in CORRECTED},
    "municipality_corrected": {(TOWN, attribute) for attribute in CORRECTED},
    "municipality_lost": {(HOME, "POISTETTU"), (TOWN, "POISTETTU")},
    "move_to_come": MOVED,
    "move_for_now": MOVED,
    "move_on_some_day": MOVED,
    "ban_started_censored": {(HOME, "LISATIETO"), (FOREIGN, "LISATIETO"), (TOWN, "LISATIETO")},
    "ban_started_alone": set(),
    "ban_started_with_move": MOVED,
    "ban_continued": {(BAN, "MUUTETTU")},
    "ban_ended_with_places": set(),
    "ban_ended_alone": set(),
    "moved_under_ban": {(TOWN, "LISATTY")},
    "name_changed": {(NAME, "MUUTETTU")},
    "name_corrected": {(NAME, attribute) for attribute in CORRECTED},
    "newborn_named": {(NAME, "LISATTY")},
    "language_changed": {(LANGUAGE, "LISATTY")},
    "died": {(DEATH, "LISATTY")},
    "death_corrected": {(DEATH, attribute) for attribute in CORRECTED},
    "death_cancelled": {(DEATH, attribute) for attribute in CORRECTED},
    "death_removed": {(DEATH, "POISTETTU")},
    "code_changed": {(CODE, "LISATTY"), (CODE, "MUUTETTU")},
    "codes_merged": {(CODE, "LISATIETO"), (CODE, "MUUTETTU")},
    "other_groups": set(),
}
DATED = {"alkupv", "loppupv"}
COMMON = {"tietoryhma", "muutosattribuutti", "voimassaolevatTiedot", "uusiKentta"}
CENSORED = {"turvakiellonAlaisetKentat"}
FIELDS = {
    CODE: {"voimassaolo", "muutettuHenkilotunnus", "aktiivinenHenkilotunnus", "edellisetHenkilotunnukset"},
    NAME: {"etunimi", "sukunimi", "etunimiUTF8", "sukunimiUTF8"} | DATED,
    LANGUAGE: {"kielikoodi", "kielikoodiISO6392", "nimi"} | DATED,
    DEATH: {"kuollut", "kuolinpv"},
    BAN: {"turvakieltoAktiivinen", "turvaLoppuPv"},
    HOME: {"katunimi", "katunumero", "huoneistokirjain", "huoneistonumero", "jakokirjain", "postinumero"}
    | {"postitoimipaikka", "rakennustunnus", "osoitenumero", "kuntakoodi"}
    | DATED
    | CENSORED,
    FOREIGN: {"lahiosoite", "paikkakunta", "valtiokoodi", "valtionimi"} | DATED | CENSORED,
    TOWN: {"kuntakoodi", "kuntaanMuuttopv", "kuntaanMuuttoPv"} | CENSORED,
}

Entries = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def entries() -> Entries:
    """By kind, the entries of a busy season."""
    simulator = start(population=2000, seed=11, start_day=START, activity=6)
    try:
        simulator.advance(60)
        kinds = [kind for kind, _ in simulator.events()]
        with Caller(simulator) as call:
            told = call.all_changes(list({code for _, code in simulator.events()}))
    finally:
        simulator.stop()
    assert len(told) == len(kinds)
    found: Entries = defaultdict(list)
    for kind, entry in zip(kinds, told, strict=True):
        found[kind].append(entry)
    return found


def rows_of(entry: dict[str, Any], group: str) -> list[dict[str, Any]]:
    return [row for row in entry["tietoryhmat"] if row["tietoryhma"] == group]


def test_every_kind_happens_and_is_described_here(entries: Entries) -> None:
    assert set(entries) == {kind.name for kind in KINDS} == set(HELD)


@pytest.mark.parametrize("kind", HELD)
def test_an_entry_holds_what_its_kind_tells(entries: Entries, kind: str) -> None:
    for entry in entries[kind]:
        held = {(row["tietoryhma"], row["muutosattribuutti"]) for row in entry["tietoryhmat"]}
        assert held >= HELD[kind]


def test_an_entry_has_its_three_members_and_a_time_in_utc(entries: Entries) -> None:
    for entry in (entry for of_kind in entries.values() for entry in of_kind):
        assert set(entry) == {"henkilotunnus", "tietoryhmat", "muutospv"}
        assert datetime.strptime(entry["muutospv"], "%Y-%m-%dT%H:%M:%S.%f%z")
        assert len(entry["muutospv"]) == len("2020-10-01T04:38:04.394Z")


def test_rows_have_the_fields_of_their_group_and_no_nulls(entries: Entries) -> None:
    told = [row for of_kind in entries.values() for entry in of_kind for row in entry["tietoryhmat"]]
    nested = [valid for row in told for valid in row.get("voimassaolevatTiedot", [])]
    for row in (row for row in [*told, *nested] if row["tietoryhma"] in FIELDS):
        assert set(row) <= FIELDS[row["tietoryhma"]] | COMMON
        assert None not in row.values()
        assert not (row.keys() & CENSORED and row.keys() & {"katunimi", "lahiosoite", "kuntakoodi"})
    assert all("muutosattribuutti" in row for row in told)
    assert nested
    assert not any("muutosattribuutti" in row for row in nested)


def test_a_move_tells_the_new_address_and_the_old_one_with_its_end(entries: Entries) -> None:
    for entry in entries["moved_in_municipality"]:
        by_attribute = {row["muutosattribuutti"]: row for row in rows_of(entry, HOME)}
        new, old = by_attribute["LISATTY"], by_attribute["MUUTETTU"]
        assert "loppupv" not in new
        assert (date.fromisoformat(new["alkupv"]["arvo"]) - date.fromisoformat(old["loppupv"]["arvo"])).days == 1


def test_rows_come_in_any_order_with_unknown_groups_and_fields(entries: Entries) -> None:
    moves = entries["moved_to_municipality"]
    assert {rows_of(entry, HOME)[0]["muutosattribuutti"] for entry in moves} == {"LISATTY", "MUUTETTU"}
    assert any(row["tietoryhma"] not in GROUPS for entry in moves for row in entry["tietoryhmat"])
    assert any("uusiKentta" in row for entry in moves for row in entry["tietoryhmat"])
    assert {row["muutosattribuutti"] for entry in moves for row in rows_of(entry, TOWN)} == {"LISATTY", "MUUTETTU"}


def test_dates_are_partial_at_times_and_ends_far_ahead(entries: Entries) -> None:
    starts = [row["alkupv"] for entry in entries["move_on_some_day"] for row in rows_of(entry, HOME)]
    assert {start["tarkkuus"] for start in starts} == {"PAIVA", "KUUKAUSI", "VUOSI"}
    ends = {row["loppupv"]["arvo"] for entry in entries["move_for_now"] for row in rows_of(entry, HOME)}
    assert "2999-02-28" in ends
    for entry in entries["move_to_come"]:
        assert max(row["alkupv"]["arvo"] for row in rows_of(entry, HOME)) > entry["muutospv"][:10]


def test_the_old_spelling_of_moving_in(entries: Entries) -> None:
    for entry in entries["municipality_corrected"]:
        assert all("kuntaanMuuttoPv" in row and "kuntaanMuuttopv" not in row for row in rows_of(entry, TOWN))


def test_bans_start_with_censored_places_with_a_readable_one_and_alone(entries: Entries) -> None:
    for kind in ("ban_started_censored", "ban_started_alone", "ban_started_with_move"):
        assert all(row["turvakieltoAktiivinen"] for entry in entries[kind] for row in rows_of(entry, BAN))
    for entry in entries["ban_started_censored"]:
        assert all(
            "turvakiellonAlaisetKentat" in row for group in (HOME, FOREIGN, TOWN) for row in rows_of(entry, group)
        )
    for entry in entries["ban_started_alone"]:
        assert not [row for group in (HOME, FOREIGN, TOWN) for row in rows_of(entry, group)]
    for entry in entries["ban_started_with_move"]:
        assert all("katunimi" in row for row in rows_of(entry, HOME))
    started = [
        row for kind in entries if kind.startswith("ban_started") for e in entries[kind] for row in rows_of(e, BAN)
    ]
    assert {"turvaLoppuPv" in row for row in started} == {True, False}


def test_bans_end_with_places_and_alone(entries: Entries) -> None:
    ends = Counter(
        (row["muutosattribuutti"], row["turvakieltoAktiivinen"])
        for kind in ("ban_ended_alone", "ban_ended_with_places")
        for entry in entries[kind]
        for row in rows_of(entry, BAN)
    )
    assert ends["MUUTETTU", False] > ends["POISTETTU", True] > 0
    with_places = [row for entry in entries["ban_ended_with_places"] for row in rows_of(entry, HOME)]
    assert {row["muutosattribuutti"] for row in with_places} == {"LISATIETO", "LISATTY"}
    assert not [row for e in entries["ban_ended_alone"] for group in (HOME, TOWN) for row in rows_of(e, group)]


def test_a_move_under_a_ban_tells_no_place(entries: Entries) -> None:
    places = [row for e in entries["moved_under_ban"] for group in (HOME, FOREIGN, TOWN) for row in rows_of(e, group)]
    assert places
    assert all("turvakiellonAlaisetKentat" in row for row in places)


def test_deaths_have_a_day_a_part_of_one_or_none(entries: Entries) -> None:
    days = [row.get("kuolinpv", {}).get("tarkkuus") for entry in entries["died"] for row in rows_of(entry, DEATH)]
    assert {None, "PAIVA"} < set(days)
    for entry in entries["death_cancelled"]:
        lives = {row["muutosattribuutti"]: row["kuollut"] for row in rows_of(entry, DEATH)}
        assert lives == {"KORJATTAVA": True, "KORJATTU": False}
    for entry in entries["death_removed"]:
        assert [row["voimassaolevatTiedot"] for row in rows_of(entry, DEATH)] == [[]]


def test_d27_a_replaced_code_comes_under_the_old_one(entries: Entries) -> None:
    for entry in entries["code_changed"]:
        rows = {row["voimassaolo"]: row for row in rows_of(entry, CODE)}
        assert rows["PASSIIVI"]["muutettuHenkilotunnus"] == entry["henkilotunnus"]
        assert rows["AKTIIVI"]["muutettuHenkilotunnus"] == rows["PASSIIVI"]["aktiivinenHenkilotunnus"]
        assert rows["AKTIIVI"]["aktiivinenHenkilotunnus"] != entry["henkilotunnus"]
        assert entry["henkilotunnus"] in rows["AKTIIVI"]["edellisetHenkilotunnukset"]


def test_d27_a_merge_comes_under_the_surviving_code(entries: Entries) -> None:
    for entry in entries["codes_merged"]:
        rows = rows_of(entry, CODE)
        assert {row["aktiivinenHenkilotunnus"] for row in rows} == {entry["henkilotunnus"]}
        removed = {row["muutettuHenkilotunnus"] for row in rows if row["voimassaolo"] == "PASSIIVI"}
        assert removed
        assert removed <= {code for row in rows for code in row["edellisetHenkilotunnukset"]}


def test_a_code_that_was_given_up_is_left_out_of_basic_data(run: Callable[..., Handle]) -> None:
    simulator = run()
    old = simulator.happen("code_changed")
    survivor = simulator.happen("codes_merged")
    with Caller(simulator) as call:
        merged = call.all_changes([survivor])[-1]
        codes = {row["muutettuHenkilotunnus"] for row in rows_of(merged, CODE)}
        told = call.basic_data([old, *codes]).json()["perustiedot"]
    assert [person["henkilotunnus"] for person in told] == [survivor]


def test_an_event_happens_only_to_whom_it_can(simulator: Handle) -> None:
    code = simulator.happen("died")
    with pytest.raises(ValueError, match="cannot happen"):
        simulator.happen("died", code)
    with pytest.raises(ValueError, match="no such event"):
        simulator.happen("born")
    assert simulator.happen("death_removed", code) == code


def test_a_small_population_sees_several_events_a_day_and_a_large_one_its_share(run: Callable[..., Handle]) -> None:
    counts = {}
    for size in (200, 100_000):
        simulator = run(population=size)
        simulator.advance(3)
        counts[size] = len(simulator.events()) / 3
    assert 5 < counts[200] < 12
    assert 80 < counts[100_000] < 120
