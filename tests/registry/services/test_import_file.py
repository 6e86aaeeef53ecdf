"""The organisation's own list, line by line (outside.md, Import file)."""

from __future__ import annotations

from datetime import date
from io import BytesIO

import pytest

from registry.hetu import compose
from registry.services import import_file
from registry.services.errors import Unreadable
from registry.services.import_file import Bad, Known, Line
from tests.factories import new_code

SERVICE, OTHER, PROVIDER, STRANGER = 11, 12, 21, 22
KNOWN = Known(
    services={"KOTI": SERVICE, "KUNTO": OTHER},
    providers={"0101263-6": PROVIDER, "2331972-7": STRANGER},
    produced={(SERVICE, PROVIDER)},
    test_codes=True,
)
CODE = new_code()
# Nobody born so long ago has ever had a code.
PERMANENT = compose(date(1850, 1, 1), 123, "+")
WRONG = CODE[:10] + ("A" if CODE[10] != "A" else "B")
HEADER = "henkilotunnus;palvelu;alkupaiva;loppupaiva;tuottaja;viite;sukunimi;etunimet"
REQUIRED = "henkilotunnus;palvelu;alkupaiva"


def read(content: str | bytes, known: Known = KNOWN) -> list[Line | Bad]:
    data = content.encode() if isinstance(content, str) else content
    return list(import_file.read(BytesIO(data), known))


def line(text: str, header: str = HEADER, known: Known = KNOWN) -> Line:
    """The one line that the text spells."""
    (found,) = read(f"{header}\n{text}\n", known)
    assert isinstance(found, Line), found
    return found


def bad(text: str, header: str = HEADER, known: Known = KNOWN) -> str:
    """What is said of the one line that the text spells: never a word of it."""
    (found,) = read(f"{header}\n{text}\n", known)
    assert isinstance(found, Bad), "the line was good"
    assert (found.line, CODE in str(found), WRONG in str(found)) == (2, False, False)
    return str(found)


def unreadable(content: str | bytes) -> str:
    """Why the file as a whole cannot be read: never a word of it."""
    with pytest.raises(Unreadable) as refused:
        read(content)
    assert CODE not in str(refused.value)
    assert refused.value.__context__ is None or refused.value.__suppress_context__
    return str(refused.value)


def test_every_column() -> None:
    assert line(f"{CODE};KOTI;2026-01-31;2026-12-31;0101263-6;A-17;Äyräs;Aino Maria") == Line(
        number=2,
        hetu=CODE,
        service=SERVICE,
        start=date(2026, 1, 31),
        end=date(2026, 12, 31),
        provider=PROVIDER,
        reference="A-17",
        last_name="Äyräs",
        first_names="Aino Maria",
    )


def test_what_is_optional_may_be_empty_or_not_there_at_all() -> None:
    empty = line(f"{CODE};KOTI;2026-01-31;;;;;")
    assert line(f"{CODE};KOTI;2026-01-31", REQUIRED) == empty
    assert (empty.end, empty.provider, empty.reference) == (None, None, None)
    assert (empty.last_name, empty.first_names) == (None, None)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["no mark", "byte order mark"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("delimiter", [b";", b","])
@pytest.mark.parametrize("quotes", [False, True], ids=["bare", "quoted"])
@pytest.mark.parametrize("last", [True, False], ids=["ended", "no end of the last line"])
def test_a_byte_order_mark_or_not_both_delimiters_quotes_and_line_ends(
    mark: bytes, end: bytes, delimiter: bytes, quotes: bool, last: bool
) -> None:
    rows = [["viite", *REQUIRED.split(";")], ["Aä", CODE, "KOTI", "2026-01-31"], ["", CODE, "KUNTO", "1.2.2026"]]
    quoted = [[f'"{field}"' if quotes else field for field in row] for row in rows]
    content = mark + end.join(delimiter.join(field.encode() for field in row) for row in quoted) + end * last
    first, second = read(content)
    assert isinstance(first, Line)
    assert isinstance(second, Line)
    assert (first.number, first.hetu, first.service, first.reference) == (2, CODE, SERVICE, "Aä")
    assert (second.number, second.start, second.reference) == (3, date(2026, 2, 1), None)


def test_quotes_hold_delimiters_and_quotes() -> None:
    assert line(f'{CODE};"KOTI";2026-01-31;;;"a;b ""c"" d";;').reference == 'a;b "c" d'


def test_outer_spaces_the_case_of_the_code_and_of_the_header_are_forgiven() -> None:
    found = line(
        f"  {CODE.lower()} ; KOTI ; 2026-01-31 ;; ;  A-17 ;\u00a0Äyräs ;", " HENKILOTUNNUS ;" + HEADER[14:].title()
    )
    assert (found.hetu, found.reference, found.last_name) == (CODE, "A-17", "Äyräs")


def test_empty_lines_are_passed_over_and_counted_as_lines_of_the_file() -> None:
    found = read(f"{REQUIRED}\r\n\r\n;;\r\n  \r\n{CODE};KOTI;2026-01-31\r\n\r\n")
    assert [one.number for one in found if isinstance(one, Line)] == [5]
    assert len(found) == 1


@pytest.mark.parametrize(
    ("told", "day"),
    [
        ("2026-01-31", date(2026, 1, 31)),
        ("31.1.2026", date(2026, 1, 31)),
        ("31.01.2026", date(2026, 1, 31)),
        ("1.1.2026", date(2026, 1, 1)),
        ("29.2.2024", date(2024, 2, 29)),
    ],
)
def test_both_forms_of_a_date(told: str, day: date) -> None:
    assert line(f"{CODE};KOTI;{told}", REQUIRED).start == day


@pytest.mark.parametrize(
    "told",
    [
        "31.1.26",
        "2026-1-31",
        "1/31/2026",
        "31.1.",
        "2026-02-30",
        "31.4.2026",
        "0.1.2026",
        "2026-00-01",
        "0000-01-01",
        "20260131",
        "2026-01-31T00:00",
        "x",
        "46053",
        "٣١.١.٢٠٢٦",
    ],
)
def test_what_is_no_date(told: str) -> None:
    for text, column in ((f"{told};", "alkupaiva"), (f"2020-01-01;{told}", "loppupaiva")):
        words = bad(f"{CODE};KOTI;{text}", f"{REQUIRED};loppupaiva")
        assert words == f"line 2, {column}: not a date like 2026-01-31 or 31.1.2026"


def test_a_date_that_is_a_slip_of_the_pen() -> None:
    assert bad(f"{CODE};KOTI;1926-01-01", REQUIRED) == "line 2, alkupaiva: too far in the past"
    assert bad(f"{CODE};KOTI;2226-01-01", REQUIRED) == "line 2, alkupaiva: too far in the future"
    # Some programs write "until further notice" so. Nobody could say on which day such a person is erased.
    assert bad(f"{CODE};KOTI;2026-01-01;9999-12-31;;;;") == "line 2, loppupaiva: too far in the future"


def test_an_end_before_the_start() -> None:
    assert bad(f"{CODE};KOTI;2026-01-31;30.1.2026;;;;") == "line 2, loppupaiva: before the start date"
    assert line(f"{CODE};KOTI;2026-01-31;31.1.2026;;;;").end == date(2026, 1, 31)


@pytest.mark.parametrize("column", ["henkilotunnus", "palvelu", "alkupaiva"])
def test_a_required_value_that_is_missing(column: str) -> None:
    values = {"henkilotunnus": CODE, "palvelu": "KOTI", "alkupaiva": "2026-01-31"} | {column: ""}
    assert bad(";".join(values.values()), REQUIRED) == f"line 2, {column}: missing"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (WRONG, "not an identity code: its check character is wrong"),
        (CODE[:-1], "not an identity code"),
        (CODE.replace("-", ""), "not an identity code"),
        (f"x{CODE[1:]}", "not an identity code"),
        ("Virtanen", "not an identity code"),
        (PERMANENT, "not a test code, and this installation accepts only those"),
    ],
)
def test_what_is_not_a_code_here(code: str, words: str) -> None:
    said = bad(f"{code};KOTI;2026-01-31", REQUIRED)
    assert said == f"line 2, henkilotunnus: {words}"
    assert code not in said


def test_a7_with_the_other_setting_only_permanent_codes() -> None:
    permanent = Known(services={"KOTI": SERVICE}, providers={}, produced=(), test_codes=False)
    assert line(f"{PERMANENT};KOTI;2026-01-31", REQUIRED, permanent).hetu == PERMANENT
    words = bad(f"{CODE};KOTI;2026-01-31", REQUIRED, permanent)
    assert words.startswith("line 2, henkilotunnus: no permanent code")


def test_a_service_that_there_is_not() -> None:
    for told in ("KOTIHOITO", "koti", "11", CODE):
        assert bad(f"{CODE};{told};2026-01-31", REQUIRED) == "line 2, palvelu: no service has this code"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("0101263-7", "not a valid Y-tunnus"),
        ("Hoiva Oy", "not a valid Y-tunnus"),
        (CODE, "not a valid Y-tunnus"),
        ("0737546-2", "no such provider"),
        ("2331972-7", "does not produce this service"),
    ],
)
def test_a_provider_that_cannot_be(told: str, words: str) -> None:
    assert bad(f"{CODE};KOTI;2026-01-31;;{told};;;") == f"line 2, tuottaja: {words}"


def test_a_business_id_may_be_written_without_its_dash() -> None:
    assert line(f"{CODE};KOTI;2026-01-31;;01012636;;;").provider == PROVIDER


def test_a_provider_of_another_service_only() -> None:
    assert bad(f"{CODE};KUNTO;2026-01-31;;0101263-6;;;") == "line 2, tuottaja: does not produce this service"


@pytest.mark.parametrize("column", ["viite", "sukunimi", "etunimet"])
def test_a_text_that_is_too_long_or_is_none(column: str) -> None:
    header = f"{REQUIRED};{column}"
    assert line(f"{CODE};KOTI;2026-01-31;{'x' * 500}", header)
    assert bad(f"{CODE};KOTI;2026-01-31;{'x' * 501}", header) == f"line 2, {column}: longer than 500 characters"
    assert bad(f"{CODE};KOTI;2026-01-31;a\x07b", header) == f"line 2, {column}: has control characters"
    assert bad(f'{CODE};KOTI;2026-01-31;"a\rb"', header) == f"line 2, {column}: has control characters"


def test_another_number_of_fields_than_the_header_has() -> None:
    assert bad(f"{CODE};KOTI", REQUIRED) == "line 2: 2 fields where the header has 3"
    assert bad(f"{CODE};KOTI;2026-01-31;", REQUIRED) == "line 2: 4 fields where the header has 3"
    assert bad(f"{CODE},KOTI,2026-01-31", REQUIRED) == "line 2: 1 fields where the header has 3"


def test_quotes_that_do_not_match_spoil_their_own_lines_only() -> None:
    """Both halves of a field that goes on on the next line are bad: the second one alone could pass for a line."""
    header = f"viite;{REQUIRED}"
    found = read(f'{header}\n"a;{CODE};KOTI;2026-01-31\nb";{CODE};KOTI;2026-01-31\nc;{CODE};KOTI;2026-01-31\n')
    assert [str(one) for one in found[:2]] == [f"line {n}: the quotation marks do not match" for n in (2, 3)]
    assert [one.number for one in found if isinstance(one, Line)] == [4]
    for viite in ('"a"b', '5" putki'):
        assert bad(f"{viite};{CODE};KOTI;2026-01-31", header) == "line 2: the quotation marks do not match"


def test_one_bad_line_is_in_no_others_way() -> None:
    found = read(f"{REQUIRED}\n{CODE};KOTI;2026-01-31\n{WRONG};KOTI;2026-01-31\n{CODE};KUNTO;2026-01-31\n")
    assert [type(one) for one in found] == [Line, Bad, Line]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (f"{REQUIRED};osoite", "Column 4 of the header is not known"),
        (f"{REQUIRED};", "Column 4 of the header is not known"),
        (f"{CODE};KOTI;2026-01-31", "Column 1 of the header is not known"),
        ("henkilotunnus;palvelu", "The column alkupaiva is missing"),
        ("henkilotunnus\tpalvelu\talkupaiva", "Column 1 of the header is not known"),
        (f"{REQUIRED};palvelu", "The column palvelu is there more than once"),
        (f"{REQUIRED};viite;Viite", "The column viite is there more than once"),
        (f'"{REQUIRED}', "The header cannot be read: the quotation marks do not match"),
        ("", "The first line is empty"),
        (" ;; ", "Column 1 of the header is not known"),
    ],
)
def test_a_header_that_cannot_be(header: str, words: str) -> None:
    assert unreadable(f"{header}\n{CODE};KOTI;2026-01-31\n").startswith(words)


def test_a_header_that_cannot_be_names_the_columns_that_can() -> None:
    assert unreadable("henkilotunnus;osoite\n").endswith(f"Columns: {HEADER.replace(';', ', ')}.")


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n", b"\xef\xbb\xbf\r\n\r\n"])
def test_a_file_with_nothing_in_it(content: bytes) -> None:
    assert "empty" in unreadable(content)


def test_a_header_alone_is_a_list_of_nobody() -> None:
    assert read(REQUIRED) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (f"{REQUIRED}\n{CODE};KOTI;2026-01-31\x00\n".encode(), "Line 2 is not UTF-8"),
        (f"{REQUIRED}\n{CODE};KOTI;2026-01-31\n".encode("utf-16"), "Line 1 is not UTF-8"),
        (f"{REQUIRED}\n{CODE};KOTI;2026-01-31\n".encode("utf-16-be"), "Line 1 is not UTF-8"),
        (f"{REQUIRED};viite\n{CODE};KOTI;2026-01-31;ä\n".encode("latin-1"), "Line 2 is not UTF-8"),
        (b"PK\x03\x04\x14\x00\x06\x00\x08\x00", "Line 1 is not UTF-8"),
        (f"{REQUIRED}\n{CODE};KOTI;{'1' * 10_000}\n".encode(), "Line 2 is longer than 10000 bytes"),
    ],
    ids=["NUL", "UTF-16", "UTF-16 without a mark", "Latin-1", "a spreadsheet", "an endless line"],
)
def test_what_is_no_text_in_utf8(content: bytes, words: str) -> None:
    assert unreadable(content).startswith(words)


def test_a_file_without_line_ends_is_not_read_into_memory() -> None:
    class Endless(BytesIO):
        asked = 0

        def readline(self, size: int | None = -1, /) -> bytes:
            assert size is not None
            assert 0 < size < 100_000
            Endless.asked += 1
            return b"x" * size

    with pytest.raises(Unreadable, match="Line 1 is longer"):
        list(import_file.read(Endless(), KNOWN))
    assert Endless.asked == 1


def test_too_large_a_file_is_noticed_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_file, "MAX_BYTES", 1_000_000)
    row = f"{CODE};KOTI;2026-01-31\n"
    lines = import_file.read(BytesIO(f"{REQUIRED}\n{row * 40_000}".encode()), KNOWN)
    assert isinstance(next(lines), Line)
    with pytest.raises(Unreadable, match="larger than 1 megabytes"):
        list(lines)


def test_too_many_lines_are_noticed_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_file, "MAX_LINES", 3)
    row = f"{CODE};KOTI;2026-01-31\n"
    assert len(list(import_file.read(BytesIO(f"{REQUIRED}\n{row * 2}".encode()), KNOWN))) == 2
    with pytest.raises(Unreadable, match="more than 3 lines"):
        list(import_file.read(BytesIO(f"{REQUIRED}\n{row * 3}".encode()), KNOWN))


def test_bytes_of_any_kind_are_lines_or_a_refusal() -> None:
    """Whatever one byte of a good file becomes, nothing but a line, a bad line or a refusal comes of it."""
    good = f'{HEADER}\n{CODE};KOTI;2026-01-31;31.1.2027;0101263-6;"a;b";Äyräs;Aino\n'.encode()
    for place in range(len(good)):
        for byte in (0, 9, 10, 13, 0x1C, 0x22, 0x2C, 0x3B, 0x41, 0x80, 0xC3, 0xFF):
            assert CODE not in said(good[:place] + bytes([byte]) + good[place + 1 :])


def said(content: bytes) -> str:
    """Everything that is said of a file."""
    try:
        return "\n".join(str(one) for one in read(content) if isinstance(one, Bad))
    except Unreadable as refused:
        return str(refused)
