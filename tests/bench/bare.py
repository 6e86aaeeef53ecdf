"""What the same work would be without any of its meaning: what was received, decoded and written as it came."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec
from django.db import connection, transaction

Entry = dict[str, Any]

HOME = (
    "home_street_fi",
    "home_street_sv",
    "home_house_number",
    "home_staircase",
    "home_apartment",
    "home_postal_code",
    "home_post_office_fi",
    "home_post_office_sv",
    "home_municipality_code",
    "home_start",
)
PERSON = (
    "status",
    "last_name",
    "first_names",
    "name_key",
    "language_code",
    "municipality_code",
    "checked_at",
    "basic_data_at",
)


def entries(body: bytes) -> list[Entry]:
    """The entries of an answer, decoded and no more."""
    told = msgspec.json.decode(body)
    found: list[Entry] = told.get("perustiedot") or told.get("muutokset")
    return found


def basic_data(found: Iterable[Entry], now: str) -> Iterator[Sequence[Any]]:
    """The code and the values of PERSON and HOME of each entry."""
    for entry in found:
        of = {row["tietoryhma"]: row for row in entry["tietoryhmat"]}
        name, town = of.get("HENKILON_NIMI", {}), of.get("KOTIKUNTA", {})
        last, first = name.get("sukunimi"), name.get("etunimi")
        language = of.get("AIDINKIELI", {}).get("kielikoodi")
        key = f"{last} {first}".lower()
        person = ("CURRENT", last, first, key, language, town.get("kuntakoodi"), now, now)
        yield entry["henkilotunnus"], *person, *_home(of.get("VAKINAINEN_KOTIMAINEN_OSOITE", {}))


def new_homes(found: Iterable[Entry]) -> Iterator[Sequence[Any]]:
    """The code and the values of HOME of each entry that tells a new address."""
    for entry in found:
        for row in entry["tietoryhmat"]:
            if row["tietoryhma"] == "VAKINAINEN_KOTIMAINEN_OSOITE" and row["muutosattribuutti"] == "LISATTY":
                yield entry["henkilotunnus"], *_home(row)


def write(columns: Sequence[str], rows: Iterable[Sequence[Any]], also: Callable[[Any], None] = lambda _: None) -> None:
    """COPY into a staging table and one UPDATE of the persons, in one transaction; ``also`` does more in it."""
    names = ", ".join(columns)
    sets = ", ".join(f"{name} = s.{name}" for name in columns)
    with transaction.atomic(), connection.cursor() as cursor:
        empty = f"SELECT {names} FROM registry_person LIMIT 0"  # noqa: S608
        cursor.execute(f"CREATE TEMP TABLE staging ON COMMIT DROP AS {empty}")
        cursor.execute("ALTER TABLE staging ADD hetu text")
        with cursor.copy(f"COPY staging (hetu, {names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(
            f"UPDATE registry_person p SET {sets}"  # noqa: S608
            " FROM staging s JOIN registry_personcode k USING (hetu) WHERE p.id = k.person_id"
        )
        also(cursor)


def _home(row: Entry) -> tuple[Any, ...]:
    street, office = row.get("katunimi", {}), row.get("postitoimipaikka", {})
    return (
        street.get("fi"),
        street.get("sv"),
        row.get("katunumero"),
        row.get("huoneistokirjain"),
        row.get("huoneistonumero"),
        row.get("postinumero"),
        office.get("fi"),
        office.get("sv"),
        row.get("kuntakoodi"),
        row.get("alkupv", {}).get("arvo"),
    )
