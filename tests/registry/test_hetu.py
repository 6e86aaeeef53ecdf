from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.hetu import SEPARATORS, Fault, InvalidHetu, compose, masked, parse

DAYS = st.dates(date(1850, 1, 1), date(2099, 12, 31))


@given(day=DAYS, number=st.integers(900, 999), choice=st.integers(0, 5))
def test_every_composed_test_code_is_one(day: date, number: int, choice: int) -> None:
    separators = SEPARATORS[day.year // 100 * 100]
    code = compose(day, number, separators[choice % len(separators)])
    assert parse(f" {code.lower()} ", test_codes=True) == code


def test_a7_the_separator_is_part_of_the_code() -> None:
    dash, other = compose(date(1990, 1, 10), 999, "-"), compose(date(1990, 1, 10), 999, "Y")
    assert (dash, other) == ("100190-999P", "100190Y999P")
    assert parse(dash, test_codes=True) != parse(other, test_codes=True)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda code: "", Fault.MALFORMED),
        (lambda code: code[:-1], Fault.MALFORMED),
        (lambda code: code + "0", Fault.MALFORMED),
        (lambda code: code.replace("-", "?"), Fault.MALFORMED),
        (lambda code: code.replace("-", "G"), Fault.MALFORMED),
        (lambda code: "x" + code[1:], Fault.MALFORMED),
        (lambda code: "\u0661" + code[1:], Fault.MALFORMED),
        (lambda code: code[:-1] + ("0" if code[-1] != "0" else "1"), Fault.CHECK_CHARACTER),
    ],
    ids=["empty", "short", "long", "no separator", "no such separator", "letter", "foreign digit", "check character"],
)
def test_what_is_not_a_code(change: object, fault: Fault) -> None:
    with pytest.raises(InvalidHetu) as refused:
        parse(change(compose(date(1980, 5, 6), 912, "-")), test_codes=True)  # type: ignore[operator]
    assert refused.value.fault is fault


def test_a_day_that_is_not_in_the_calendar() -> None:
    digits, number = "310280", "912"
    from registry.hetu import check_character

    with pytest.raises(InvalidHetu) as refused:
        parse(f"{digits}-{number}{check_character(digits, number)}", test_codes=True)
    assert refused.value.fault is Fault.MALFORMED


def test_a7_only_the_kind_of_the_setting() -> None:
    with pytest.raises(InvalidHetu) as permanent:
        parse(compose(date(1980, 5, 6), 912, "-"), test_codes=False)
    with pytest.raises(InvalidHetu) as test:
        parse(compose(date(1980, 5, 6), 899, "-"), test_codes=True)
    assert (permanent.value.fault, test.value.fault) == (Fault.NOT_PERMANENT, Fault.NOT_TEST)


def test_g49_the_error_does_not_hold_the_code() -> None:
    code = compose(date(1980, 5, 6), 912, "-")
    with pytest.raises(InvalidHetu) as refused:
        parse(code, test_codes=False)
    assert code not in repr(refused.value)
    assert code[7:] not in str(refused.value)


def test_h54_the_mask_shows_the_birth_date_only() -> None:
    assert masked(compose(date(1980, 5, 6), 912, "-")) == "060580••••"


def test_a_separator_of_another_century_is_refused() -> None:
    with pytest.raises(ValueError, match="century"):
        compose(date(1980, 5, 6), 912, "A")
