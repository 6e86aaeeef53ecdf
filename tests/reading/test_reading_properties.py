"""What holds for every entry and every basic data, however odd: no exception, no order, no lost ban."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args, get_type_hints

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.record import Group
from tests.reading.rows import (
    ALL,
    CONTEXT,
    ENTRY,
    OTHER,
    OWN,
    PROTECTED,
    STATE,
    ban,
    decoded,
    foreign,
    home,
    municipality,
    valid,
)
from vtjsync.reading import changes, snapshot
from vtjsync.reading.outcome import Ask, Context, Outcome, PersonState
from vtjsync.wire.groups import ROW_TYPES, BanRow, LocationRow, OtherRow, Row, WireDate, WireNames

ATTRIBUTES = ["LISATTY", "MUUTETTU", "KORJATTAVA", "KORJATTU", "POISTETTU", "LISATIETO", "OUTO", None]
ENDING = {"LISATTY", "MUUTETTU", "KORJATTU", "POISTETTU"}

texts = st.one_of(
    st.none(),
    st.sampled_from(["", " ", "1", "091", "98", "998", "mis", "AKTIIVI", "PASSIIVI", "Vanhatie", "\x00", OWN, OTHER]),
    st.text(max_size=3),
)
days = st.sampled_from(
    ["2010-05-01", "2026-03-01", "2026-03-10", "2026-03-20", "2027-01-01", "2999-02-28", "0000-00-00"]
)
wire_dates = st.none() | st.builds(
    WireDate, days | st.text(max_size=10), st.sampled_from(["PAIVA", "KUUKAUSI", "VUOSI", "OUTO"])
)
names = st.none() | st.builds(WireNames, texts, texts)
booleans = st.none() | st.booleans()
censors: st.SearchStrategy[Any] = st.sampled_from([msgspec.UNSET, msgspec.UNSET, msgspec.Raw(b"[]"), msgspec.Raw(b"1")])


def of_type(kind: type[Row], depth: int = 1) -> st.SearchStrategy[Row]:
    """Any row of the type, with up to two rows of what is valid, ``depth`` deep."""
    strategies: dict[str, st.SearchStrategy[Any]] = {"muutosattribuutti": st.sampled_from(ATTRIBUTES)}
    for field, hint in get_type_hints(kind).items():
        parts = set(get_args(hint))
        if WireDate in parts:
            strategies[field] = wire_dates
        elif WireNames in parts:
            strategies[field] = names
        elif bool in parts:
            strategies[field] = booleans
        elif field == "turvakiellonAlaisetKentat":
            strategies[field] = censors
        elif field == "voimassaolevatTiedot":
            inner = st.none() if depth == 0 else st.none() | st.lists(of_type(kind, depth - 1), max_size=2).map(tuple)
            strategies[field] = inner
        elif field == "edellisetHenkilotunnukset":
            strategies[field] = st.none() | st.lists(texts.filter(bool), max_size=2).map(tuple)
        elif str in parts and field not in strategies:
            strategies[field] = texts
    name = next((name for name, known in ROW_TYPES.items() if known is kind), "OUTO")
    return st.builds(kind, tietoryhma=st.just(name), **strategies)


some_rows = st.lists(st.one_of(*(of_type(kind) for kind in [*ROW_TYPES.values(), OtherRow])), max_size=5).map(tuple)
# Few groups with few values meet more often than any rows do.
ban_rows = of_type(BanRow)
place_rows = st.one_of(*(of_type(kind) for kind in ROW_TYPES.values() if issubclass(kind, LocationRow)))
rows_about_bans = st.lists(st.one_of(ban_rows, place_rows), min_size=1, max_size=4).map(tuple)


@st.composite
def likely_row(draw: st.DrawFn) -> Row:
    """A row of a place or a ban from so few values that rows of an entry, and what is held, are often the same."""
    group = draw(st.sampled_from([home, foreign, municipality, ban]))

    def told(attribute: str | None) -> dict[str, Any]:
        if group is ban:
            return ban(attribute, draw(booleans))
        start = draw(st.sampled_from([None, "2010-05-01", "2026-03-01", "2026-03-20"]))
        if group is municipality:
            return municipality(attribute, draw(st.sampled_from(["091", "837"])), start)
        end = draw(st.sampled_from([None, "2026-03-01", "2026-03-10", "2026-04-01", "2999-01-01"]))
        return group(attribute, draw(st.sampled_from(["Vanhatie", "Uusitie"])), start, end)

    attribute = draw(st.sampled_from(ATTRIBUTES))
    lists = draw(st.none() | st.lists(st.builds(told, st.none()), max_size=2)) if attribute == "POISTETTU" else None
    return decoded([told(attribute) | (valid(*lists) if lists is not None else {})])[0]


entries = some_rows | rows_about_bans | st.lists(likely_row(), min_size=1, max_size=4).map(tuple)

held = st.sampled_from([STATE, PROTECTED, PersonState(), replace(PROTECTED, silence_at=ENTRY, ban_since=None)])
times = st.none() | st.datetimes(timezones=st.just(UTC)) | st.just(ENTRY)
contexts = st.builds(
    Context, st.frozensets(st.sampled_from(Group)) | st.just(ALL), st.just(CONTEXT.today), st.just(CONTEXT.tolerance)
)


def without_values_of_places(outcome: Outcome) -> bool:
    return not (outcome.state.record.protected and outcome.state.record.has_location)


@settings(max_examples=400, deadline=None)
@given(entries, times, held, contexts, st.booleans())
def test_no_entry_raises_and_none_leaves_a_protected_person_with_a_place(
    rows: tuple[Row, ...], at: datetime | None, state: PersonState, context: Context, readable: bool
) -> None:
    assert without_values_of_places(changes.read(rows, at, state, context, readable=readable))


@settings(max_examples=400, deadline=None)
@given(entries, held, contexts, st.booleans())
def test_no_basic_data_raises_and_none_leaves_a_protected_person_with_a_place(
    rows: tuple[Row, ...], state: PersonState, context: Context, readable: bool
) -> None:
    outcome = snapshot.read(rows, ENTRY, state, context, readable=readable)
    assert without_values_of_places(outcome)
    assert outcome.ask in {None, Ask.SILENCE}


@settings(max_examples=300, deadline=None)
@given(entries, held, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows: tuple[Row, ...], state: PersonState, chance: random.Random) -> None:
    other = list(rows)
    chance.shuffle(other)
    assert changes.read(other, ENTRY, state, CONTEXT) == changes.read(rows, ENTRY, state, CONTEXT)
    assert snapshot.read(other, ENTRY, state, CONTEXT) == snapshot.read(rows, ENTRY, state, CONTEXT)


@settings(max_examples=400, deadline=None)
@given(entries, st.sampled_from([STATE, PROTECTED]), st.integers(0, 400), st.integers(0, 400))
def test_c21_a_replay_on_another_day_changes_nothing(
    rows: tuple[Row, ...], state: PersonState, first: int, more: int
) -> None:
    today = CONTEXT.today + timedelta(days=first)
    once = changes.read(rows, ENTRY, state, replace(CONTEXT, today=today)).state
    again = changes.read(rows, ENTRY, once, replace(CONTEXT, today=today + timedelta(days=more))).state
    assert again.record == once.record


def permits_an_end(row: BanRow) -> bool:
    """An explicit false where domain.md E32 lets it count."""
    told = row.voimassaolevatTiedot or () if row.muutosattribuutti == "POISTETTU" else (row,)
    return row.muutosattribuutti in ENDING and any(part.turvakieltoAktiivinen is False for part in told)


@settings(max_examples=600, deadline=None)
@given(entries)
def test_e32_doubt_keeps_the_ban(rows: tuple[Row, ...]) -> None:
    bans = [row for row in rows if isinstance(row, BanRow)]
    outcome = changes.read(rows, ENTRY, PROTECTED, CONTEXT)
    if not any(map(permits_an_end, bans)) or any(isinstance(row, LocationRow) and row.censored for row in rows):
        assert outcome.state.record.protected
        assert not outcome.ban_ended
    if outcome.ban_ended:
        assert outcome.state.reveal_awaited
        assert outcome.ask is Ask.REVEAL
        assert not any(row.turvakieltoAktiivinen for row in bans if row.muutosattribuutti != "KORJATTAVA")


@settings(max_examples=300, deadline=None)
@given(entries)
def test_e35_what_protects_takes_every_place(rows: tuple[Row, ...]) -> None:
    outcome = changes.read(rows, ENTRY, STATE, CONTEXT)
    if any(isinstance(row, LocationRow) and row.censored for row in rows) or any(
        isinstance(row, BanRow) and row.turvakieltoAktiivinen and row.muutosattribuutti != "KORJATTAVA" for row in rows
    ):
        assert outcome.ban_started
        assert not outcome.state.record.has_location
    assert outcome.ban_started == outcome.state.record.protected


def test_however_deep_the_rows_lie() -> None:
    row = BanRow(tietoryhma=Group.BAN, muutosattribuutti="POISTETTU", turvakieltoAktiivinen=True)
    for _ in range(20_000):
        row = BanRow(tietoryhma=Group.BAN, muutosattribuutti="POISTETTU", voimassaolevatTiedot=(row,))
    assert changes.read((row,), ENTRY, STATE, CONTEXT).ban_started
