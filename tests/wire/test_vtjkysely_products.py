"""What the simulator's products tell of its people is read right, whatever the order and the form (wire.md 3)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from registry.hetu import Hetu
from vtjsync.simulator import server
from vtjsync.simulator.kysely import SERVICE
from vtjsync.simulator.products import PRODUCTS
from vtjsync.simulator.server import Handle
from vtjsync.simulator.truth import HomeMember, Record
from vtjsync.wire.vtjkysely import Vtjkysely
from vtjsync.wire.vtjkysely_answer import Ban, LookUp, Outcome

FULL, PARTS, NAMES = PRODUCTS


@pytest.fixture(scope="module")
def vtj() -> Iterator[Handle]:
    vtj = server.start(population=1000, seed=3)
    for kind in ("died", "code_changed", "ban_started_with_move", "name_changed"):
        for _ in range(3):
            vtj.happen(kind)
    yield vtj
    vtj.stop()


@pytest.fixture(params=PRODUCTS)
def kysely(vtj: Handle, request: pytest.FixtureRequest) -> Iterator[Vtjkysely]:
    kysely = Vtjkysely(
        server=vtj.url,
        client=server.CLIENT,
        service=SERVICE,
        product=request.param,
        username=server.USERNAME,
        password=server.PASSWORD,
    )
    yield kysely
    kysely.close()


def outcome_of(record: Record, product: str) -> Outcome:
    if record["kuollut"] and product != PARTS:
        return Outcome.DEAD
    return Outcome.WITHHELD if record["turvakielto"] and product == NAMES else Outcome.FOUND


def line(home: HomeMember | None, language: str) -> str | None:
    street = home and home["katunimi"][language]  # type: ignore[literal-required]
    if home is None or street is None:
        return None
    apartment = (home["huoneistonumero"] or "").lstrip("0")
    parts = (street, home["katunumero"], home["huoneistokirjain"], apartment, home["jakokirjain"])
    return " ".join(filter(None, parts))


def test_every_person_is_read_as_the_truth_has_them(
    vtj: Handle, kysely: Vtjkysely, request: pytest.FixtureRequest
) -> None:
    product = request.node.callspec.params["kysely"]
    for record in vtj.truth()[:250] + vtj.truth([code for _, code in vtj.events()]):
        told = kysely.look_up(Hetu(record["henkilotunnus"]), asked_by="aino", issue="APPLICATION")
        outcome = outcome_of(record, product)
        assert told.outcome is outcome
        if outcome is not Outcome.FOUND:
            assert told == LookUp(outcome)
            continue
        assert told.in_force
        assert (told.code, told.first_names, told.last_name) == (
            record["henkilotunnus"],
            record["etunimet"],
            record["sukunimi"],
        )
        ban = Ban.ON if record["turvakielto"] else Ban.OFF
        assert told.ban is (Ban.UNKNOWN if product == NAMES else ban)
        home = None if product == NAMES else record["vakinainen_kotimainen_osoite"]
        assert (told.address is None) == (home is None)
        if told.address is not None and home is not None:
            assert (told.address.line_fi, told.address.line_sv) == (line(home, "fi"), line(home, "sv"))
            assert (told.address.postal_code, told.address.post_office_sv) == (
                home["postinumero"],
                home["postitoimipaikka"]["sv"],
            )
            assert told.address.start is not None
            assert told.address.start.iso() == home["alkupv"]


def test_former_codes_lead_to_the_person(vtj: Handle, kysely: Vtjkysely) -> None:
    for kind, code in vtj.events():
        if kind == "code_changed":
            (record,) = vtj.truth([code])
            told = kysely.look_up(Hetu(code), asked_by="aino", issue="APPLICATION")
            assert (told.outcome, told.in_force) == (Outcome.PASSIVE, False)
            assert (told.code, told.last_name) == (record["henkilotunnus"], record["sukunimi"])
