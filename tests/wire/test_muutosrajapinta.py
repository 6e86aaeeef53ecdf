"""The three calls and their answers: what can be read is kept, a bad entry stays alone (wire.md 2, domain.md B14)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.hetu import Hetu, compose
from registry.record import Group
from tests.wire.conftest import CLIENT, SERVICE
from tests.wire.server import Reply, Server
from vtjsync.wire.errors import Reason, Refused, Unreadable
from vtjsync.wire.groups import (
    ROW_TYPES,
    BanRow,
    CodeRow,
    DeathRow,
    ForeignRow,
    HomeRow,
    LanguageRow,
    MunicipalityRow,
    NameRow,
    OtherRow,
    WireDate,
    WireNames,
)
from vtjsync.wire.muutosrajapinta import BasicDataPage, ChangePage, Entry, Muutosrajapinta
from vtjsync.wire.xroad import XRoadClient

ONE, TWO, THREE = (compose(date(1990, 1, day), 990 + day, "-") for day in (1, 2, 3))
DAY = {"arvo": "2020-01-24", "tarkkuus": "PAIVA"}
BAN = {"tietoryhma": "TURVAKIELTO", "muutosattribuutti": "LISATTY", "turvakieltoAktiivinen": True}
HOME = {
    "tietoryhma": "VAKINAINEN_KOTIMAINEN_OSOITE",
    "muutosattribuutti": "LISATTY",
    "katunimi": {"fi": "Mallikatu", "sv": "Modellgatan"},
    "katunumero": "6a-6b",
    "huoneistokirjain": "A",
    "huoneistonumero": "002",
    "jakokirjain": "a",
    "postinumero": "00100",
    "postitoimipaikka": {"fi": "HELSINKI"},
    "rakennustunnus": "900000000X",
    "osoitenumero": 4,
    "kuntakoodi": "091",
    "alkupv": DAY,
}


def entry(code: object = ONE, rows: object = (BAN,), at: object = "2020-10-01T04:38:04.394Z") -> dict[str, object]:
    return {"henkilotunnus": code, "tietoryhmat": rows, "muutospv": at}


class Vtj:
    """The interface, and what the server says next."""

    def __init__(self, server: Server, client: XRoadClient) -> None:
        self.server = server
        self.interface = Muutosrajapinta(client)

    def says(self, body: object, **headers: str) -> None:
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.server.replies = [Reply(body=text, headers=headers)]

    def changes(self, *entries: object, **more: object) -> ChangePage:
        self.says({"viimeisinKirjausavain": 2, "muutokset": entries, "ajanTasalla": True, **more})
        return self.interface.changes(1, [ONE])

    def basic_data(self, *entries: object, **more: object) -> BasicDataPage:
        self.says({"perustiedot": entries, "ajanTasalla": True, **more})
        return self.interface.basic_data([ONE])

    def rows(self, *rows: object) -> Entry:
        (only,) = self.changes(entry(rows=rows)).entries
        return only

    @property
    def asked(self) -> Any:
        return json.loads(self.server.asked[-1].body)


@pytest.fixture
def vtj(server: Server, client: XRoadClient) -> Vtj:
    return Vtj(server, client)


# What is asked


@pytest.mark.parametrize("told", [5446623423, "5446623423"])
def test_the_first_key_of_a_day(vtj: Vtj, told: object) -> None:
    vtj.says({"viimeisinKirjausavain": told, "new": 1})
    assert vtj.interface.first_key(date(2026, 1, 5)) == 5446623423
    assert vtj.server.asked[0].method == "GET"
    assert vtj.server.asked[0].path.endswith("/VTJmutpa/api/v1/kirjausavain/2026-01-05")


def test_changes_are_asked_with_the_key_and_the_codes_alone(vtj: Vtj) -> None:
    vtj.says({"viimeisinKirjausavain": "9007199254740993", "muutokset": [], "ajanTasalla": True})
    assert vtj.interface.changes(9007199254740992, [ONE, TWO]).key == 9007199254740993
    assert vtj.asked == {"viimeisinKirjausavain": 9007199254740992, "hetulista": [ONE, TWO]}
    assert vtj.server.asked[0].path.endswith("/VTJmutpa/api/v1/muutokset")


def test_basic_data_is_asked_by_the_names_of_the_groups(vtj: Vtj) -> None:
    vtj.says({"perustiedot": []})
    vtj.interface.basic_data([ONE], [Group.NAME, Group.BAN], user_id="aino")
    assert vtj.asked == {"hetulista": [ONE], "tietoryhmat": ["HENKILON_NIMI", "TURVAKIELTO"]}
    assert vtj.server.asked[0].path.endswith("/VTJmutpa/api/v1/perustiedot")
    assert vtj.server.asked[0].headers["X-Road-UserId"] == "aino"


def test_groups_are_left_out_rather_than_sent_as_null(vtj: Vtj) -> None:
    vtj.basic_data()
    assert vtj.asked == {"hetulista": [ONE]}


def test_basic_data_is_asked_of_at_most_1000(vtj: Vtj) -> None:
    vtj.says({"perustiedot": []})
    vtj.interface.basic_data([ONE] * 1000)
    with pytest.raises(ValueError, match="1000"):
        vtj.interface.basic_data([ONE] * 1001)
    assert len(vtj.server.asked) == 1


def test_a_refusal_passes_through(vtj: Vtj) -> None:
    vtj.server.replies = [Reply(400, b'{"type": "old.key", "message": "kirjausavain"}')]
    with pytest.raises(Refused) as raised:
        vtj.interface.changes(1, [ONE])
    assert (raised.value.error_type, raised.value.might_be_cursor) == ("old.key", True)


# The envelope


def test_the_moment_of_the_answer_is_passed_on(vtj: Vtj) -> None:
    moment = datetime(2026, 11, 24, 4, 12, 9, tzinfo=UTC)
    vtj.says({"perustiedot": []}, Date="Tue, 24 Nov 2026 04:12:09 GMT")
    assert vtj.interface.basic_data([ONE]).at == moment
    vtj.says({"viimeisinKirjausavain": 1, "muutokset": []}, Date="Tue, 24 Nov 2026 04:12:09 GMT")
    assert vtj.interface.changes(1, [ONE]).at == moment


@pytest.mark.parametrize(
    ("told", "changes", "basic_data"),
    [
        ({"ajanTasalla": True}, True, True),
        ({"ajanTasalla": False}, False, False),
        ({"ajanTasalla": None}, False, True),
        ({}, False, True),
    ],
)
def test_up_to_date_when_it_is_missing(vtj: Vtj, told: dict[str, object], *, changes: bool, basic_data: bool) -> None:
    vtj.says({"viimeisinKirjausavain": 1, "muutokset": [], **told})
    assert vtj.interface.changes(1, [ONE]).up_to_date is changes
    vtj.says({"perustiedot": [], **told})
    assert vtj.interface.basic_data([ONE]).up_to_date is basic_data


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", Reason.EMPTY),
        (b" \n", Reason.EMPTY),
        (b"\n<html>010190-999P</html>", Reason.HTML),
        (b'{"viimeisinKirjausavain": 1, "muutokset": [{"henkilotunnus": "01019', Reason.NOT_AS_AGREED),
        (b"null", Reason.NOT_AS_AGREED),
        (b"[]", Reason.NOT_AS_AGREED),
        (b"\xff\xfe", Reason.NOT_AS_AGREED),
        (b"[" * 100_000, Reason.NOT_AS_AGREED),
        (b'{"muutokset": []}', Reason.NOT_AS_AGREED),
        (b'{"viimeisinKirjausavain": 1}', Reason.NOT_AS_AGREED),
        (b'{"viimeisinKirjausavain": 1, "muutokset": null}', Reason.NOT_AS_AGREED),
        (b'{"viimeisinKirjausavain": 1, "muutokset": {}}', Reason.NOT_AS_AGREED),
        (b'{"viimeisinKirjausavain": null, "muutokset": []}', Reason.NOT_AS_AGREED),
        (b'{"viimeisinKirjausavain": -1, "muutokset": []}', Reason.NOT_AS_AGREED),
        (b'{"viimeisinKirjausavain": 9223372036854775808, "muutokset": []}', Reason.NOT_AS_AGREED),
        (b'{"viimeisinKirjausavain": "9223372036854775808", "muutokset": []}', Reason.NOT_AS_AGREED),
        (b'{"viimeisinKirjausavain": "010190-999P", "muutokset": []}', Reason.NOT_AS_AGREED),
        (b'{"viimeisinKirjausavain": 1, "muutokset": [], "ajanTasalla": "010190-999P"}', Reason.NOT_AS_AGREED),
    ],
    ids=count(),
)
def test_an_envelope_that_is_not_as_agreed(vtj: Vtj, body: bytes, reason: Reason) -> None:
    vtj.says(body, **{"X-Road-Request-Id": "r-1"})
    with pytest.raises(Unreadable) as raised:
        vtj.interface.changes(1, [ONE])
    error = raised.value
    assert (error.reason, error.status, error.request_id) == (reason, 200, "r-1")
    assert error.x_road_id == vtj.server.asked[0].headers["X-Road-Id"]
    assert "010190-999P" not in repr(error)
    assert error.__context__ is None
    assert len(vtj.server.asked) == 1


# Entries


def test_an_entry_of_changes(vtj: Vtj) -> None:
    page = vtj.changes(entry())
    ban = BanRow(tietoryhma="TURVAKIELTO", muutosattribuutti="LISATTY", turvakieltoAktiivinen=True)
    moment = datetime(2020, 10, 1, 4, 38, 4, 394000, tzinfo=UTC)
    assert page.entries == [Entry(ONE, (ban,), moment, readable=True)]
    assert (page.key, page.up_to_date, page.broken) == (2, True, 0)


def test_an_entry_of_basic_data_has_no_time(vtj: Vtj) -> None:
    page = vtj.basic_data({"henkilotunnus": ONE, "tietoryhmat": []})
    assert page.entries == [Entry(ONE, (), None, readable=True)]


@pytest.mark.parametrize(
    ("told", "moment"),
    [
        ("2020-10-01T04:38:04Z", datetime(2020, 10, 1, 4, 38, 4, tzinfo=UTC)),
        ("2020-10-01T07:38:04.394+03:00", datetime(2020, 10, 1, 4, 38, 4, 394000, tzinfo=UTC)),
        ("2020-10-01T04:38:04", None),
        ("2020-10-01", None),
        ("0001-01-01T00:00:00+23:00", None),
        ("", None),
        ("yesterday", None),
        (1601527084, None),
        (None, None),
        ([], None),
    ],
)
def test_the_time_of_a_change(vtj: Vtj, told: object, moment: datetime | None) -> None:
    (only,) = vtj.changes(entry(at=told)).entries
    assert (only.changed_at, only.readable) == (moment, True)
    assert only.changed_at is None or only.changed_at.tzinfo is UTC


@pytest.mark.parametrize("told", [f" {ONE}\n", ONE.lower()], ids=count())
def test_outer_spaces_and_the_case_of_a_code_are_forgiven(vtj: Vtj, told: str) -> None:
    assert [one.code for one in vtj.changes(entry(told)).entries] == [ONE]


def test_codes_that_were_not_asked_for_are_told_all_the_same(vtj: Vtj) -> None:
    real = Hetu("131052-308T")
    assert [one.code for one in vtj.changes(entry(TWO), entry(real), entry(TWO)).entries] == [TWO, real, TWO]


NO_CODE = [
    None,
    1,
    True,
    [ONE],
    {"arvo": ONE},
    "",
    " ",
    ONE[:10],
    ONE + ONE,
    ONE[:10] + ("A" if ONE[10] != "A" else "B"),
    ONE.replace("-", "Q"),
    ONE.replace("0", "٠"),
]


@pytest.mark.parametrize("code", NO_CODE, ids=count())
def test_b14_an_entry_without_a_readable_code_is_counted(vtj: Vtj, code: object) -> None:
    page = vtj.changes(entry(TWO), entry(code), entry(THREE))
    assert [one.code for one in page.entries] == [TWO, THREE]
    assert page.broken == 1
    assert vtj.basic_data(entry(code)).broken == 1


@pytest.mark.parametrize("bad", [None, 1, "text", [], {}, {"tietoryhmat": [BAN]}])
def test_b14_what_is_no_entry_is_counted(vtj: Vtj, bad: object) -> None:
    page = vtj.changes(bad, entry(), bad)
    assert (len(page.entries), page.broken) == (1, 2)


@pytest.mark.parametrize("rows", [None, {}, "text", 1, BAN])
def test_b14_an_entry_whose_groups_cannot_be_read_is_kept_as_unreadable(vtj: Vtj, rows: object) -> None:
    page = vtj.changes(entry(rows=rows))
    assert [(one.code, one.rows, one.readable) for one in page.entries] == [(ONE, (), False)]
    assert page.entries[0].changed_at is not None
    assert page.broken == 0


def test_b14_an_entry_without_groups_is_not_an_entry_with_none(vtj: Vtj) -> None:
    page = vtj.basic_data({"henkilotunnus": ONE}, {"henkilotunnus": TWO, "tietoryhmat": []})
    assert [one.readable for one in page.entries] == [False, True]


BAD_ROWS: list[object] = [
    None,
    1,
    "TURVAKIELTO",
    [],
    {},
    {"tietoryhma": None},
    {"tietoryhma": 1},
    {"tietoryhma": "TURVAKIELTO", "turvakieltoAktiivinen": "false"},
    {"tietoryhma": "TURVAKIELTO", "turvakieltoAktiivinen": 0},
    {"tietoryhma": "KUOLINPAIVA", "kuollut": "true"},
    {"tietoryhma": "HENKILON_NIMI", "etunimi": ["A"]},
    {"tietoryhma": "HENKILON_NIMI", "etunimi": "A", "muutosattribuutti": 1},
    {"tietoryhma": "SIVIILISAATY", "muutosattribuutti": {}},
    {**HOME, "alkupv": "2020-01-24"},
    {**HOME, "katunimi": "Mallikatu"},
    {**HOME, "postinumero": 100},
    {**HOME, "kuntakoodi": 91},
    {**HOME, "katunumero": True},
    {**HOME, "katunumero": 6.5},
    {**HOME, "voimassaolevatTiedot": {}},
    {**HOME, "voimassaolevatTiedot": [None]},
    {"tietoryhma": "HENKILOTUNNUS_KORJAUS", "edellisetHenkilotunnukset": [None]},
]


@pytest.mark.parametrize("bad", BAD_ROWS)
def test_b14_a_ban_in_an_entry_with_a_bad_row_is_still_there(vtj: Vtj, bad: object) -> None:
    only = vtj.rows(bad, BAN, bad)
    assert not only.readable
    assert [type(row) for row in only.rows] == [BanRow]


def test_b14_one_that_is_no_json_fails_alone_if_its_end_can_be_found(vtj: Vtj) -> None:
    good = json.dumps(entry(TWO)).encode()
    bad = json.dumps(entry(ONE)).encode().replace(b"TURVAKIELTO", b"TURVA\xffKIELTO")
    vtj.says(b'{"viimeisinKirjausavain": 2, "muutokset": [' + bad + b", " + good + b"]}")
    page = vtj.interface.changes(1, [ONE])
    assert [(one.code, one.readable) for one in page.entries] == [(ONE, False), (TWO, True)]


@pytest.mark.parametrize("bad", [rb"\ud800", rb"\udfff\ud800", b"\xff\\ud800"], ids=count())
def test_b14_half_a_character_makes_one_row_unreadable(vtj: Vtj, bad: bytes) -> None:
    name = {"tietoryhma": "HENKILON_NIMI", "etunimi": "NAME"}
    entries = json.dumps([entry(ONE, [name, BAN]), entry(TWO, [{**name, "etunimi": "Äå"}])], ensure_ascii=False)
    body = '{"viimeisinKirjausavain": 9007199254740993, "muutokset": ' + entries + "}"
    vtj.says(body.encode().replace(b"NAME", bad))
    page = vtj.interface.changes(1, [ONE])
    assert [(one.code, one.readable) for one in page.entries] == [(ONE, False), (TWO, True)]
    assert [type(row) for row in page.entries[0].rows] == [BanRow]
    assert page.entries[1].rows == (NameRow(tietoryhma="HENKILON_NIMI", etunimi="Äå"),)
    assert page.key == 9007199254740993


# Rows


def test_every_group_has_its_type_and_fields(vtj: Vtj) -> None:
    day = WireDate("2020-01-24")
    told: list[dict[str, object]] = [
        {
            "tietoryhma": "HENKILOTUNNUS_KORJAUS",
            "voimassaolo": "PASSIIVI",
            "muutettuHenkilotunnus": TWO,
            "aktiivinenHenkilotunnus": None,
            "edellisetHenkilotunnukset": [TWO, THREE],
        },
        {"tietoryhma": "HENKILON_NIMI", "etunimi": "A", "sukunimi": "B", "etunimiUTF8": "Á", "sukunimiUTF8": "ß"},
        {"tietoryhma": "AIDINKIELI", "kielikoodi": "98", "kielikoodiISO6392": "fse", "nimi": "viittoma", "alkupv": DAY},
        {"tietoryhma": "KUOLINPAIVA", "kuollut": True, "kuolinpv": {"arvo": "2019-06-01", "tarkkuus": "KUUKAUSI"}},
        {"tietoryhma": "TURVAKIELTO", "turvakieltoAktiivinen": False, "turvaLoppuPv": DAY},
        {"tietoryhma": "VAKINAINEN_ULKOMAINEN_OSOITE", "lahiosoite": "Tänav 1", "valtiokoodi": "233", "alkupv": DAY},
        {"tietoryhma": "KOTIKUNTA", "kuntakoodi": "091", "kuntaanMuuttoPv": DAY},
        {"tietoryhma": "SIVIILISAATY", "siviilisaaty": "NAIMATON"},
    ]
    only = vtj.rows(*told)
    assert only.readable
    assert only.rows == (
        CodeRow(
            tietoryhma="HENKILOTUNNUS_KORJAUS",
            voimassaolo="PASSIIVI",
            muutettuHenkilotunnus=TWO,
            edellisetHenkilotunnukset=(TWO, THREE),
        ),
        NameRow(tietoryhma="HENKILON_NIMI", etunimi="A", sukunimi="B", etunimiUTF8="Á", sukunimiUTF8="ß"),
        LanguageRow(tietoryhma="AIDINKIELI", kielikoodi="98", kielikoodiISO6392="fse", nimi="viittoma", alkupv=day),
        DeathRow(tietoryhma="KUOLINPAIVA", kuollut=True, kuolinpv=WireDate("2019-06-01", "KUUKAUSI")),
        BanRow(tietoryhma="TURVAKIELTO", turvakieltoAktiivinen=False, turvaLoppuPv=day),
        ForeignRow(tietoryhma="VAKINAINEN_ULKOMAINEN_OSOITE", lahiosoite="Tänav 1", valtiokoodi="233", alkupv=day),
        MunicipalityRow(tietoryhma="KOTIKUNTA", kuntakoodi="091", kuntaanMuuttoPv=day),
        OtherRow(tietoryhma="SIVIILISAATY"),
    )


def test_a_home_address(vtj: Vtj) -> None:
    (row,) = vtj.rows(HOME).rows
    assert row == HomeRow(
        tietoryhma="VAKINAINEN_KOTIMAINEN_OSOITE",
        muutosattribuutti="LISATTY",
        katunimi=WireNames("Mallikatu", "Modellgatan"),
        katunumero="6a-6b",
        huoneistokirjain="A",
        huoneistonumero="002",
        jakokirjain="a",
        postinumero="00100",
        postitoimipaikka=WireNames("HELSINKI"),
        kuntakoodi="091",
        alkupv=WireDate("2020-01-24"),
    )
    assert isinstance(row, HomeRow)
    assert not row.censored


@pytest.mark.parametrize("group", ["VAKINAINEN_KOTIMAINEN_OSOITE", "VAKINAINEN_ULKOMAINEN_OSOITE", "KOTIKUNTA"])
@pytest.mark.parametrize("fields", [["kuntakoodi"], [], None, "kuntakoodi", {}])
def test_e35_a_censored_group_whatever_the_list_holds(vtj: Vtj, group: str, fields: object) -> None:
    only = vtj.rows({"tietoryhma": group, "turvakiellonAlaisetKentat": fields})
    assert only.readable
    assert [row.censored for row in only.rows if isinstance(row, HomeRow | ForeignRow | MunicipalityRow)] == [True]


def test_what_is_valid_after_a_removal(vtj: Vtj) -> None:
    valid = {"tietoryhma": "AIDINKIELI", "kielikoodi": "sv"}
    removed = {"tietoryhma": "AIDINKIELI", "muutosattribuutti": "POISTETTU", "kielikoodi": "fi"}
    some, none, untold = vtj.rows(
        {**removed, "voimassaolevatTiedot": [valid]}, {**removed, "voimassaolevatTiedot": []}, removed
    ).rows
    assert isinstance(some, LanguageRow)
    assert isinstance(none, LanguageRow)
    assert isinstance(untold, LanguageRow)
    assert some.voimassaolevatTiedot == (LanguageRow(tietoryhma="AIDINKIELI", kielikoodi="sv"),)
    assert none.voimassaolevatTiedot == ()
    assert untold.voimassaolevatTiedot is None


def test_a_house_number_that_is_a_number_is_read(vtj: Vtj) -> None:
    plain = {**HOME, "katunumero": 30, "huoneistonumero": 2, "muuta": [1, {"katunumero": 1}]}
    only = vtj.rows({**plain, "turvakiellonAlaisetKentat": [], "voimassaolevatTiedot": [plain]})
    assert only.readable
    (row,) = only.rows
    assert isinstance(row, HomeRow)
    assert (row.katunumero, row.huoneistonumero, row.censored) == ("30", "2", True)
    assert row.voimassaolevatTiedot is not None
    assert row.voimassaolevatTiedot[0].katunumero == "30"


def test_of_a_key_told_twice_the_last_counts(vtj: Vtj) -> None:
    ban = '"turvakieltoAktiivinen": '
    body = json.dumps(entry()).replace(ban, f"{ban}false, {ban}")
    vtj.says(f'{{"viimeisinKirjausavain": 1, "viimeisinKirjausavain": 2, "muutokset": [{body}]}}'.encode())
    page = vtj.interface.changes(1, [ONE])
    assert page.key == 2
    (row,) = page.entries[0].rows
    assert isinstance(row, BanRow)
    assert row.turvakieltoAktiivinen is True


# Whatever comes

FIELDS = st.sampled_from(
    ["henkilotunnus", "tietoryhmat", "muutospv", "tietoryhma", "muutosattribuutti", "voimassaolevatTiedot", "alkupv"]
)
TEXT = st.text(st.characters(), max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS | TEXT, inner, max_size=4),
    max_leaves=10,
)
GROUPS = st.sampled_from([*Group, "SIVIILISAATY"])
NAMES = sorted({name for row in ROW_TYPES.values() for name in row.__struct_fields__})
ROWS = st.builds(
    lambda group, fields: {**fields, "tietoryhma": group}, GROUPS | JSON, st.dictionaries(st.sampled_from(NAMES), JSON)
)
ENTRIES = JSON | st.builds(entry, st.just(TWO) | JSON, st.lists(ROWS | JSON, max_size=3) | JSON, JSON)


@pytest.fixture(scope="module")
def shared() -> Iterator[Vtj]:
    """One server and client for all the cases."""
    with Server().running() as server:
        client = XRoadClient(server=server.url, client=CLIENT, service=SERVICE, attempts=1)
        yield Vtj(server, client)
        client.close()


@settings(max_examples=200, deadline=None)
@given(bad=st.lists(ENTRIES, max_size=3), place=st.integers(0, 3))
def test_b14_a_bad_entry_never_changes_another(shared: Vtj, bad: list[object], place: int) -> None:
    alone = shared.changes(entry(ONE, [HOME, BAN])).entries[0]
    page = shared.changes(*bad[:place], entry(ONE, [HOME, BAN]), *bad[place:])
    assert alone in page.entries
    assert len(page.entries) + page.broken == len(bad) + 1


@settings(max_examples=200, deadline=None)
@given(body=st.binary(max_size=40) | JSON.map(lambda told: json.dumps(told).encode()))
def test_any_answer_is_a_page_or_our_error(shared: Vtj, body: bytes) -> None:
    shared.says(body)
    for ask in (lambda: shared.interface.changes(1, [ONE]), lambda: shared.interface.basic_data([ONE])):
        with suppress(Unreadable):
            assert ask().broken >= 0


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_damaged_byte_never_raises_anything_else(shared: Vtj, data: st.DataObject) -> None:
    body = bytearray(msgspec.json.encode({"viimeisinKirjausavain": 2, "muutokset": [entry(ONE, [HOME, BAN])] * 2}))
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    shared.says(bytes(body))
    with suppress(Unreadable):
        page = shared.interface.changes(1, [ONE])
        assert len(page.entries) + page.broken <= 2
