"""A single look-up over the simulator: what may be known of it, and the stop that binds everybody (wire.md 3, B16)."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction
from pytest_django import Settings

from registry.hetu import Hetu, compose
from registry.models import AuditEvent, User
from registry.ports import Identity, Unanswered
from tests.cast import access
from tests.engine.conftest import Start
from tests.factories import UserFactory
from vtjsync.engine import look_up
from vtjsync.models import SyncControl
from vtjsync.simulator.products import PRODUCTS
from vtjsync.simulator.server import Handle
from vtjsync.simulator.truth import Record
from vtjsync.wire.errors import TEXTS, Reason
from vtjsync.wire.vtjkysely_answer import Address, Ban, LookUp, Outcome

pytestmark = pytest.mark.django_db(transaction=True)
FULL, PARTS, NAMES = PRODUCTS


def looked_up(code: str) -> Identity:
    return look_up.look_up(Hetu(code), asked_by="aino", reason="APPLICATION")


def name_of(record: Record) -> str:
    return f"{record['etunimet']} {record['sukunimi']}"


def somebody(vtj: Handle, suits: Callable[[Record], Any] = lambda _: True) -> Record:
    """Somebody alive and free of a ban, with a name, whom it suits."""
    return next(
        record
        for record in vtj.truth()
        if record["sukunimi"] and not record["turvakielto"] and not record["kuollut"] and suits(record)
    )


def after(vtj: Handle, kind: str) -> Record:
    (record,) = vtj.truth([vtj.happen(kind)])
    return record


def shown(identity: Identity) -> tuple[str | None, bool | None]:
    return identity.name, identity.in_force


@pytest.mark.parametrize("product", PRODUCTS)
def test_the_name_and_whether_the_code_is_in_force(look_ups: Handle, settings: Settings, product: str) -> None:
    settings.VTJKYSELY_PRODUCT = product
    record = somebody(look_ups)
    assert shown(looked_up(record["henkilotunnus"])) == (name_of(record), True)
    ((call, asked),) = look_ups.requests
    assert call == "vtjkysely"
    assert (asked["SoSoNimi"], asked["Loppukayttaja"]) == (product, "aino")


@pytest.mark.parametrize(("product", "told"), [(FULL, True), (PARTS, True), (NAMES, False)])
def test_d31_a_former_code_tells_only_where_a_ban_is_known_to_be_off(
    look_ups: Handle, settings: Settings, product: str, *, told: bool
) -> None:
    settings.VTJKYSELY_PRODUCT = product
    old = look_ups.happen("code_changed", somebody(look_ups)["henkilotunnus"])
    (record,) = look_ups.truth([old])
    assert shown(looked_up(old)) == ((name_of(record), False) if told else (None, None))
    assert shown(looked_up(record["henkilotunnus"])) == (name_of(record), True)


@pytest.mark.parametrize("product", [FULL, PARTS])
def test_nobody_under_a_ban_differs_from_anybody_else(look_ups: Handle, settings: Settings, product: str) -> None:
    settings.VTJKYSELY_PRODUCT = product
    record = after(look_ups, "ban_started_alone")
    assert record["turvakielto"]
    assert shown(looked_up(record["henkilotunnus"])) == (name_of(record), True)
    # Under a former code it is as if there were nobody: a new identity is not to be found by the old one.
    old = look_ups.happen("code_changed", somebody(look_ups)["henkilotunnus"])
    (changed,) = look_ups.truth([old])
    look_ups.happen("ban_started_alone", changed["henkilotunnus"])
    assert looked_up(old) == Identity()


def test_the_unknown_the_dead_and_the_withheld_are_one_answer(look_ups: Handle, settings: Settings) -> None:
    dead, banned = after(look_ups, "died"), after(look_ups, "ban_started_alone")
    unknown = compose_unknown(look_ups)
    answers = [looked_up(unknown), looked_up(dead["henkilotunnus"])]
    settings.VTJKYSELY_PRODUCT = NAMES
    answers += [looked_up(unknown), looked_up(dead["henkilotunnus"]), looked_up(banned["henkilotunnus"])]
    assert answers == [Identity()] * 5


def compose_unknown(vtj: Handle) -> str:
    known = set(vtj.codes())
    day = vtj.now.date().replace(year=1961)
    return next(code for number in range(900, 1000) if (code := compose(day, number, "-")) not in known)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (LookUp(Outcome.FOUND, True, None, "Aino", "Ek", Ban.ON), ("Aino Ek", True)),
        (LookUp(Outcome.FOUND, True, None, "Aino", "Ek", Ban.UNKNOWN, Address("Tie 1")), ("Aino Ek", True)),
        (LookUp(Outcome.FOUND, True, None, None, "Ek", Ban.OFF), ("Ek", True)),
        (LookUp(Outcome.FOUND, True), (None, True)),
        (LookUp(Outcome.FOUND, False, None, "Aino", "Ek", Ban.OFF), ("Aino Ek", False)),
        (LookUp(Outcome.FOUND, False, None, "Aino", "Ek", Ban.ON), (None, None)),
        (LookUp(Outcome.FOUND, False, None, "Aino", "Ek", Ban.UNKNOWN), (None, None)),
        (LookUp(Outcome.PASSIVE, False, None, "Aino", "Ek", Ban.OFF), ("Aino Ek", False)),
        (LookUp(Outcome.PASSIVE, False, None, "Aino", "Ek", Ban.ON), (None, None)),
        (LookUp(Outcome.PASSIVE), (None, None)),
        (LookUp(Outcome.NOT_FOUND), (None, None)),
        (LookUp(Outcome.DEAD), (None, None)),
        (LookUp(Outcome.WITHHELD), (None, None)),
    ],
)
def test_what_a_page_may_know_of_an_answer(told: LookUp, expected: tuple[str | None, bool | None]) -> None:
    assert shown(look_up._identity(told)) == expected


# Failures


def failed(code: str) -> Unanswered:
    with pytest.raises(Unanswered) as raised:
        looked_up(code)
    return raised.value


@pytest.mark.parametrize("name", ["reset", "502html", "500", "busy", "html200", "empty", "half", "dtd"])
def test_what_may_pass_stops_nobody(look_ups: Handle, name: str) -> None:
    record = somebody(look_ups)
    look_ups.faults(name)
    assert not failed(record["henkilotunnus"]).closed
    look_ups.faults("none")
    assert shown(looked_up(record["henkilotunnus"])) == (name_of(record), True)
    assert not SyncControl.objects.exists()


def test_a_slow_answer_is_given_up_at_the_deadline(start_vtj: Start, look_ups: Handle, settings: Settings) -> None:
    settings.VTJKYSELY_DEADLINE = 0.3
    slow = start_vtj(slow_seconds=1.0)
    slow.faults("slow")
    assert not failed(slow.codes(1)[0]).closed


@pytest.mark.parametrize(
    ("name", "reason"),
    [("unauthorized", Reason.LOOK_UP_CREDENTIALS), ("denied", Reason.PERMIT), ("denied-old", Reason.PERMIT)],
)
def test_b16_a_refusal_stops_all_look_ups_until_an_administrator_lets_them_go_on(
    look_ups: Handle, caplog: pytest.LogCaptureFixture, bertta: User, name: str, reason: Reason
) -> None:
    record = somebody(look_ups)
    look_ups.faults(f"{name}=1")
    assert failed(record["henkilotunnus"]).closed
    assert [one.levelno for one in caplog.records if one.name == look_up.__name__] == [logging.ERROR]
    asked = len(look_ups.requests)
    assert failed(record["henkilotunnus"]).closed
    assert len(look_ups.requests) == asked
    control = SyncControl.objects.get()
    assert control.look_ups_stopped_at is not None
    assert control.look_ups_stopped_reason == TEXTS[reason]
    # The sync has an account of its own.
    assert (control.stopped_reason, control.stopped_at) == ("", None)
    with pytest.raises(PermissionDenied):
        look_up.resume(access(UserFactory.create()))
    look_up.resume(access(bertta))
    assert shown(looked_up(record["henkilotunnus"])) == (name_of(record), True)
    assert AuditEvent.objects.filter(action="RESUME_LOOK_UPS", user_id=bertta.pk).count() == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VTJKYSELY_PRODUCT", "PERUSSANOMA"),
        ("VTJKYSELY_CLIENT", "FI-TEST/MUN"),
        ("VTJKYSELY_SERVICE", "FI-TEST/GOV/0245437-2/VTJkysely/HenkilonTunnusKysely/v2"),
        ("VTJKYSELY_SERVICE", "VTJkysely"),
        ("VTJ_SERVER", "http://security-server.example.fi"),
    ],
)
def test_a_setting_that_cannot_work_is_said_in_the_log_and_stops_nothing(
    look_ups: Handle, settings: Settings, caplog: pytest.LogCaptureFixture, name: str, value: str
) -> None:
    setattr(settings, name, value)
    assert failed(look_ups.codes(1)[0]).closed
    assert [one.levelno for one in caplog.records if one.name == look_up.__name__] == [logging.ERROR]
    assert "VTJ" in caplog.text
    assert not SyncControl.objects.exists()


def test_b10_nothing_is_asked_inside_a_transaction(look_ups: Handle) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="inside a database transaction"):
        looked_up(look_ups.codes(1)[0])
    assert look_ups.requests == []


@pytest.mark.parametrize("name", look_up.NEEDED)
def test_look_ups_are_off_unless_everything_is_set(look_ups: Handle, settings: Settings, name: str) -> None:
    assert look_up.is_on()
    setattr(settings, name, "")
    assert not look_up.is_on()


@pytest.mark.parametrize("name", ["unauthorized", "denied", "502html", "half", "dtd", "cut", "none"])
def test_g49_nothing_of_a_person_is_logged_or_told(
    look_ups: Handle, settings: Settings, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    settings.VTJKYSELY_PASSWORD = "sala-sana-nro-1" if name == "unauthorized" else settings.VTJKYSELY_PASSWORD
    caplog.set_level(logging.DEBUG)
    record = somebody(look_ups, lambda one: one["vakinainen_kotimainen_osoite"])
    look_ups.faults(name)
    texts = []
    try:
        texts.append(repr(looked_up(record["henkilotunnus"])))
    except Unanswered as error:
        texts += [repr(error), repr(vars(error)), *traceback.format_exception(error)]
    home = record["vakinainen_kotimainen_osoite"]
    assert home is not None
    assert record["sukunimi"] is not None
    assert "Traceback" not in caplog.text
    told = "\n".join([caplog.text, *texts, *SyncControl.objects.values_list("look_ups_stopped_reason", flat=True)])
    for secret in (record["henkilotunnus"], record["sukunimi"], home["katunimi"]["fi"], "sala-sana-nro-1"):
        assert str(secret) not in told
