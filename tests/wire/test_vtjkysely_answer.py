"""VTJkysely's answer is read by the names of its elements: every return code, ban and form of address (wire.md 3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from lxml import etree

from registry.hetu import compose
from registry.record import PartialDate, Precision
from tests.wire.soap import (
    BAN_OFF,
    IN_PARTS,
    KYSELY,
    NAMES,
    NO_ADDRESS,
    ONE_LINE,
    ban,
    fault_code,
    message,
    number,
    search,
)
from vtjsync.wire.errors import Denied, Reason, Unavailable, Unreadable, VtjError
from vtjsync.wire.vtjkysely_answer import CREDENTIALS, OUTCOMES, PASSING, SETTINGS, Address, Ban, LookUp, Outcome, read

ONE, TWO = (compose(date(1990, 1, day), 990 + day, "-") for day in (1, 2))


def elements(inside: str, before: str = "") -> Sequence[Any]:
    told = f'<k:r xmlns:k="{KYSELY}">{before}<k:response>{inside}</k:response></k:r>'
    return list(etree.fromstring(told))


def found(*person: str, **more: Any) -> LookUp:
    told = read(elements(message(*person, **more)), ONE)
    assert isinstance(told, LookUp), told
    return told


def refused(inside: str) -> VtjError:
    told = read(elements(inside), ONE)
    assert isinstance(told, VtjError), told
    return told


# Return codes


@pytest.mark.parametrize(("code", "outcome"), OUTCOMES.items())
@pytest.mark.parametrize("where", ["message", "fault", "both"])
def test_every_return_code_that_tells_of_the_person(code: str, outcome: Outcome, where: str) -> None:
    person = () if outcome in (Outcome.NOT_FOUND, Outcome.DEAD, Outcome.WITHHELD) else (number(ONE), NAMES)
    inside = message(*person, code=None if where == "fault" else code)
    told = read(elements(inside + (fault_code(code) if where != "message" else "")), ONE)
    assert isinstance(told, LookUp)
    assert (told.outcome, told.in_force) == (outcome, outcome is Outcome.FOUND)


@pytest.mark.parametrize("code", ["0001", "0006", "0007", "0019"])
def test_a_person_who_is_not_told_is_not_told_whatever_else_the_answer_holds(code: str) -> None:
    told = found(number(ONE), NAMES, BAN_OFF, ONE_LINE, code=code)
    assert told == LookUp(OUTCOMES[code])


@pytest.mark.parametrize("code", sorted(CREDENTIALS | SETTINGS | PASSING))
def test_every_return_code_that_tells_of_the_question(code: str) -> None:
    for inside in (fault_code(code), message(code=code), message(number(ONE), NAMES) + fault_code(f" {code}\n")):
        error = refused(inside)
        assert error.error_type == f"Paluukoodi:{code}"
        assert isinstance(error, Denied) == (code in CREDENTIALS)
        assert getattr(error, "again", False) == (code in PASSING)


def test_the_codes_mean_what_dvv_says() -> None:
    assert {"0003", "0004", "-1500"} == CREDENTIALS
    assert {"-1800", "-1906"} == PASSING
    assert {"-1900", "-1901", "-1904"} < SETTINGS
    assert refused(fault_code("-1904")).reason is Reason.LOOK_UP_SETTINGS
    assert isinstance(refused(fault_code("-1906")), Unavailable)


@pytest.mark.parametrize(("one", "other"), [("0000", "0007"), ("0018", "0019"), ("0000", "0002"), ("0000", "-1500")])
def test_of_two_codes_the_one_that_tells_less_counts(one: str, other: str) -> None:
    for first, second in ((one, other), (other, one)):
        told = read(elements(message(number(ONE), NAMES, code=first) + fault_code(second)), ONE)
        code = f"Paluukoodi:{other}"
        assert told.error_type == code if isinstance(told, VtjError) else told.outcome is OUTCOMES[other]


@pytest.mark.parametrize(
    "inside",
    [
        "",
        message(number(ONE), NAMES, code=None),
        message(number(ONE), NAMES, code=""),
        message(number(ONE), NAMES, code="0005"),
        message(number(ONE), NAMES, code="0017"),
        message(number(ONE), NAMES, code="000"),
        fault_code("SOAP-ENV:Server"),
        message(code="0000"),
        fault_code("0000"),
        message(number(ONE), NAMES, search=search(TWO)),
        message(code="0001", search=search(TWO, "0")),
    ],
)
def test_an_answer_without_a_known_code_a_person_or_of_somebody_else_is_none(inside: str) -> None:
    error = refused(inside)
    assert (type(error), error.reason) == (Unreadable, Reason.NOT_AS_AGREED)


def test_no_response_at_all() -> None:
    for told in ((), list(etree.fromstring("<r><request/></r>"))):
        assert isinstance(read(told, ONE), Unreadable)


# The person


def test_the_order_and_the_namespaces_mean_nothing() -> None:
    parts = (number(ONE), NAMES, BAN_OFF, ONE_LINE, "<Kotikunta/>", "<Uusi><Sukunimi>toinen</Sukunimi></Uusi>")
    told = found(*parts)
    assert told == found(*reversed(parts))
    plain = message(*parts).replace(' xmlns="http://xml.vrk.fi/schema/vtjkysely"', "")
    assert read(elements(plain, before="<request><Henkilotunnus/></request>"), ONE) == told
    assert (told.first_names, told.last_name, told.code) == ("Aino Salla", "Äijälä", ONE)


def test_names_are_those_of_the_person_and_not_of_others() -> None:
    guardian = f"<Edunvalvonta><HenkiloEdunvalvoja>{number(TWO)}{NAMES}</HenkiloEdunvalvoja></Edunvalvonta>"
    told = found(guardian, number(ONE), "<NykyinenSukunimi><Sukunimi/></NykyinenSukunimi>")
    assert (told.first_names, told.last_name, told.code) == (None, None, ONE)


def test_comments_and_instructions_are_passed_over() -> None:
    told = found("<?x y?><!-- z -->", number(f"<!-- c -->{ONE}"), NAMES)
    assert (told.code, told.last_name) == (ONE, "Äijälä")


@pytest.mark.parametrize(
    ("person", "searched", "in_force"),
    [
        (number(ONE), "", True),
        (number(ONE.lower()), "", True),
        (number(ONE, None), "", True),
        (number(ONE), search(ONE), True),
        (number(""), search(ONE), True),
        ("", search(ONE), True),
        (number(ONE, "0"), "", False),
        (number(TWO), "", False),
        (number(TWO), search(ONE), False),
        (number(ONE), search(ONE, "2"), False),
    ],
)
def test_a_code_is_in_force_when_it_is_the_persons_and_nothing_says_otherwise(
    person: str, searched: str, *, in_force: bool
) -> None:
    assert found(person, NAMES, search=searched).in_force is in_force


# Turvakielto


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("", Ban.UNKNOWN),
        ("<Turvakielto/>", Ban.UNKNOWN),
        ("<Turvakielto><TurvakieltoPaattymispvm/></Turvakielto>", Ban.UNKNOWN),
        (BAN_OFF, Ban.OFF),
        (ban(" "), Ban.OFF),
        (ban("0"), Ban.OFF),
        (ban("1"), Ban.ON),
        (ban("9"), Ban.ON),
        (ban("2"), Ban.ON),
        (ban("K"), Ban.ON),
        (ban("<x>0</x>1"), Ban.ON),
    ],
)
def test_a_ban_is_off_only_when_it_is_said_to_be(told: str, expected: Ban) -> None:
    assert found(number(ONE), told).ban is expected


@pytest.mark.parametrize("address", [ONE_LINE, IN_PARTS])
@pytest.mark.parametrize("told", ["1", "9"])
def test_e34_an_address_beside_a_ban_is_not_read(address: str, told: str) -> None:
    assert found(number(ONE), address, ban(told)).address is None


# The address


@pytest.mark.parametrize("told", [ONE_LINE, IN_PARTS, NO_ADDRESS + IN_PARTS])
def test_both_forms_of_an_address_are_read(told: str) -> None:
    began = PartialDate(date(1992, 1, 1), Precision.MONTH)
    expected = Address("Salakuja 3 B 12", "Hemligränd 3 B 12", "00640", "HELSINKI", "HELSINGFORS", began)
    assert found(number(ONE), told, BAN_OFF).address == expected
    assert found(number(ONE), told).address == expected


@pytest.mark.parametrize("told", ["", NO_ADDRESS, "<VakinainenKotimainenOsoite/>", "<VakinainenKotimainenLahiosoite/>"])
def test_an_address_of_empty_elements_is_none(told: str) -> None:
    assert found(number(ONE), told, BAN_OFF).address is None


def test_parts_that_are_missing_leave_no_gaps() -> None:
    parts = "<KatuS>Tie</KatuS><Katunumero>1</Katunumero><Huoneistonumero>000</Huoneistonumero>"
    told = found(number(ONE), f"<VakinainenKotimainenOsoite>{parts}</VakinainenKotimainenOsoite>").address
    assert told == Address("Tie 1")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("20031125", PartialDate(date(2003, 11, 25))),
        ("20031100", PartialDate(date(2003, 11, 1), Precision.MONTH)),
        ("20030000", PartialDate(date(2003, 1, 1), Precision.YEAR)),
        ("20030025", PartialDate(date(2003, 1, 1), Precision.YEAR)),
        ("00000000", None),
        ("20031301", None),
        ("20030230", None),
        ("2003", None),
        ("25.11.2003", None),
        ("", None),
    ],
)
def test_a_date_may_be_known_in_part(told: str, expected: PartialDate | None) -> None:
    inside = f"<LahiosoiteS>Tie 1</LahiosoiteS><AsuminenAlkupvm>{told}</AsuminenAlkupvm>"
    address = found(number(ONE), f"<VakinainenKotimainenLahiosoite>{inside}</VakinainenKotimainenLahiosoite>").address
    assert address is not None
    assert address.start == expected
