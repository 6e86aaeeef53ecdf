"""The plain values: partial dates, names' keys and the texts of the applied changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from registry.history import Difference, differences, texts
from registry.names import name_key
from registry.record import ForeignAddress, HomeAddress, Municipality, PartialDate, PersonRecord, Precision

HOME = HomeAddress("Mikkolantie", "Mickelsvägen", "30", "F", "028", None, "00640", "HELSINKI", "HELSINGFORS", "091")
RECORD = PersonRecord(
    first_names="Hanna",
    last_name="Kolehmainen",
    home=HOME,
    foreign=frozenset({ForeignAddress("Kungsgatan 1", "111 43 STOCKHOLM", "752")}),
    municipality=Municipality("091"),
)


@pytest.mark.parametrize(
    ("precision", "iso", "shown", "last"),
    [
        (Precision.DAY, "1965-11-07", "7.11.1965", date(1965, 11, 7)),
        (Precision.MONTH, "1965-11", "11/1965", date(1965, 11, 30)),
        (Precision.YEAR, "1965", "1965", date(1965, 12, 31)),
    ],
)
def test_c23_only_what_is_known_of_a_date_is_kept(precision: Precision, iso: str, shown: str, last: date) -> None:
    day = PartialDate.of(date(1965, 11, 7), precision)
    assert (day.iso(), str(day), day.last) == (iso, shown, last)


def test_c23_padding_makes_no_difference() -> None:
    assert PartialDate.of(date(1965, 11, 7), Precision.MONTH) == PartialDate.of(date(1965, 11, 30), Precision.MONTH)


def test_e34_without_location_nothing_tells_a_place() -> None:
    assert RECORD.has_location
    assert RECORD.without_location() == PersonRecord(first_names="Hanna", last_name="Kolehmainen")
    assert not RECORD.without_location().has_location


def test_finnish_order_and_plain_words() -> None:
    names = ["Äyräs", "Zetterberg", "Östman", "Åberg", "Aalto", "d’Arc", "O'Hara", "Müller"]
    assert sorted(names, key=name_key) == [
        "Aalto",
        "d’Arc",
        "Müller",
        "O'Hara",
        "Zetterberg",
        "Åberg",
        "Äyräs",
        "Östman",
    ]
    assert name_key("Äyräs", None, "Eeva-Liisa") == "zz2yrzz2s eeva liisa"
    assert name_key(None) == ""


def test_a_letter_with_a_stroke_or_a_tail_is_found_as_its_plain_letter() -> None:
    keys = {
        "Łukaszewski": "lukaszewski",
        "Aŋŋel": "annel",
        "Ŧihkkádas": "tihkkadas",
        "Đorđević": "dordevic",
        "Yıldız": "yildiz",
        "Ðuriš": "duris",
        "Œrsted": "oersted",
        "Əliyev": "eliyev",
    }
    assert {name: name_key(name) for name in keys} == keys


def test_g48_what_changed_field_by_field() -> None:
    moved = replace(RECORD, last_name="Virtanen", home=replace(HOME, house_number="31"))
    assert list(differences(RECORD, moved)) == [
        Difference("last_name", "Kolehmainen", "Virtanen"),
        Difference(
            "home",
            "Mikkolantie 30 F 28, 00640 HELSINKI\nMickelsvägen 30 F 28, 00640 HELSINGFORS",
            "Mikkolantie 31 F 28, 00640 HELSINKI\nMickelsvägen 31 F 28, 00640 HELSINGFORS",
        ),
    ]
    assert list(differences(RECORD, RECORD)) == []


def test_g48_an_address_abroad_and_a_death_as_text() -> None:
    told = texts(replace(RECORD, deceased=True))
    assert told["foreign"] == "Kungsgatan 1, 111 43 STOCKHOLM, 752"
    assert told["deceased"] == "yes"
