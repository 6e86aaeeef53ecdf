"""Rows as VTJ sends them, a person to read them for, and one case of a table."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from registry.hetu import compose
from registry.record import (
    ForeignAddress,
    Group,
    HomeAddress,
    Municipality,
    PartialDate,
    PersonRecord,
)
from vtjsync.reading import changes, snapshot
from vtjsync.reading.outcome import Ask, Context, Outcome, PersonState
from vtjsync.wire.groups import ROW_TYPES, OtherRow, Row

JSON = dict[str, Any]

TODAY = date(2026, 3, 10)
ENTRY = datetime(2026, 3, 10, 10, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ALL = frozenset(Group)
CONTEXT = Context(granted=ALL, today=TODAY, tolerance=5 * MINUTE)

OWN = compose(date(1969, 8, 1), 998, "-")
OTHER = compose(date(1968, 5, 1), 998, "-")
THIRD = compose(date(1968, 5, 2), 997, "-")

RECORD = PersonRecord(
    first_names="Aino Maria",
    last_name="Mallinen",
    language_code="fi",
    home=HomeAddress(street_fi="Vanhatie", house_number="1", postal_code="00200", start=PartialDate(date(2010, 5, 1))),
    municipality=Municipality("091", PartialDate(date(2010, 5, 1))),
)
ABROAD = ForeignAddress("Sadama 5", "10111 TALLINN", "233", None, PartialDate(date(2020, 1, 24)))
STATE = PersonState(record=RECORD, basic_data_at=ENTRY - DAY)
PROTECTED = PersonState(
    record=replace(RECORD.without_location(), protected=True), basic_data_at=ENTRY - DAY, ban_since=ENTRY - 9 * DAY
)


def given(told: str | None) -> JSON | None:
    """``2026-03-01`` or ``2026-03-01|KUUKAUSI`` as a date of the wire."""
    if told is None:
        return None
    arvo, _, tarkkuus = told.partition("|")
    return {"arvo": arvo, "tarkkuus": tarkkuus or "PAIVA"}


def row(group: str, attribute: str | None, **fields: object) -> JSON:
    """A row of the group; a field that is None is left out, as VTJ does."""
    told = {"tietoryhma": group, "muutosattribuutti": attribute, **fields}
    return {name: value for name, value in told.items() if value is not None}


def home(
    attribute: str | None,
    street: str = "Uusitie",
    start: str | None = "2026-03-01",
    end: str | None = None,
    **fields: object,
) -> JSON:
    plain: JSON = {"katunimi": {"fi": street}, "katunumero": "1", "postinumero": "00200"}
    return row("VAKINAINEN_KOTIMAINEN_OSOITE", attribute, alkupv=given(start), loppupv=given(end), **(plain | fields))


def old_home(
    attribute: str | None, end: str | None = "2026-02-28", start: str = "2010-05-01", **fields: object
) -> JSON:
    """The address that RECORD holds."""
    return home(attribute, "Vanhatie", start, end, **fields)


def foreign(
    attribute: str | None,
    street: str = "Storgatan 1",
    start: str | None = "2026-03-01",
    end: str | None = None,
    **fields: object,
) -> JSON:
    plain: JSON = {"lahiosoite": street, "paikkakunta": "111 20 STOCKHOLM", "valtiokoodi": "752"}
    return row("VAKINAINEN_ULKOMAINEN_OSOITE", attribute, alkupv=given(start), loppupv=given(end), **(plain | fields))


def abroad(attribute: str | None, end: str | None = None) -> JSON:
    """The address ABROAD."""
    fields = {"paikkakunta": "10111 TALLINN", "valtiokoodi": "233"}
    return foreign(attribute, "Sadama 5", "2020-01-24", end, **fields)


def municipality(
    attribute: str | None, code: str | None = "837", start: str | None = "2026-03-01", **fields: object
) -> JSON:
    return row("KOTIKUNTA", attribute, kuntakoodi=code, kuntaanMuuttopv=given(start), **fields)


def name(attribute: str | None, last: str = "Uusinen", first: str = "Aino Maria", **fields: object) -> JSON:
    return row("HENKILON_NIMI", attribute, **({"etunimi": first, "sukunimi": last} | fields))


def language(attribute: str | None, code: str | None = "sv", **fields: object) -> JSON:
    return row("AIDINKIELI", attribute, kielikoodi=code, **fields)


def death(attribute: str | None, dead: bool | None = True, on: str | None = "2026-03-02", **fields: object) -> JSON:
    return row("KUOLINPAIVA", attribute, kuollut=dead, kuolinpv=given(on), **fields)


def ban(attribute: str | None, active: bool | None = True, end: str | None = None, **fields: object) -> JSON:
    return row("TURVAKIELTO", attribute, turvakieltoAktiivinen=active, turvaLoppuPv=given(end), **fields)


def censored(group: str = "KOTIKUNTA", attribute: str | None = "MUUTETTU", fields: object = ()) -> JSON:
    return row(group, attribute) | {"turvakiellonAlaisetKentat": fields}


def code(
    attribute: str | None,
    validity: str | None,
    changed: str | None,
    active: str | None,
    former: list[str] | None = None,
    **fields: object,
) -> JSON:
    return row(
        "HENKILOTUNNUS_KORJAUS",
        attribute,
        voimassaolo=validity,
        muutettuHenkilotunnus=changed,
        aktiivinenHenkilotunnus=active,
        edellisetHenkilotunnukset=former,
        **fields,
    )


def replaced(old: str, new: str) -> tuple[JSON, ...]:
    """One code replaced: under the old code, two rows."""
    return (
        code("LISATTY", "AKTIIVI", new, new, [old]),
        code("MUUTETTU", "PASSIIVI", old, new),
    )


def merged(removed: str, surviving: str) -> tuple[JSON, ...]:
    """Two codes found to be one person: under the surviving one."""
    return (
        code("LISATIETO", "AKTIIVI", surviving, surviving, [removed]),
        code("MUUTETTU", "PASSIIVI", removed, surviving),
    )


def valid(*rows: JSON) -> JSON:
    """The list of what is valid now, as a keyword of a POISTETTU row."""
    return {"voimassaolevatTiedot": list(rows)}


def decoded(rows: Iterable[JSON]) -> tuple[Row, ...]:
    """The rows through JSON, as the wire reads them."""
    return tuple(msgspec.json.decode(json.dumps(one), type=ROW_TYPES.get(one["tietoryhma"], OtherRow)) for one in rows)


def moved(street: str | None = "Uusitie", start: date = date(2026, 3, 1)) -> PersonRecord:
    """RECORD at the address of :func:`home`, or at none."""
    if street is None:
        return replace(RECORD, home=None)
    new = HomeAddress(street_fi=street, house_number="1", postal_code="00200", start=PartialDate(start))
    return replace(RECORD, home=new)


def day(text: str) -> PartialDate:
    return PartialDate(date.fromisoformat(text))


@dataclass(frozen=True)
class Case:
    """Rows, and what they make of ``state``; no ``after`` means that the record stays. ``more`` names what else of
    the outcome or of its state must be so."""

    name: str
    rows: list[JSON]
    after: PersonRecord | None = None
    ask: Ask | None = None
    state: PersonState = STATE
    at: datetime | None = ENTRY
    context: Context = CONTEXT
    readable: bool = True
    more: JSON = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name

    def changed(self) -> Outcome:
        return changes.read(decoded(self.rows), self.at, self.state, self.context, readable=self.readable)

    def answered(self) -> Outcome:
        assert self.at is not None
        return snapshot.read(decoded(self.rows), self.at, self.state, self.context, readable=self.readable)

    def check(self, outcome: Outcome) -> None:
        assert outcome.state.record == (self.state.record if self.after is None else self.after)
        assert outcome.ask == self.ask
        for attribute, expected in self.more.items():
            owner = outcome if hasattr(outcome, attribute) else outcome.state
            assert getattr(owner, attribute) == expected, attribute
