from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.simulator.calls import Caller
from vtjsync.simulator.faults import FAULTS
from vtjsync.simulator.server import Handle

STATUS = {
    "429": 429,
    "500": 500,
    "502html": 502,
    "denied": 500,
    "denied-old": 500,
    "unauthorized": 401,
}
BROKEN = ("reset", "cut")
UNREADABLE = ("html200", "empty", "half")


@pytest.mark.parametrize(("fault", "status"), STATUS.items())
def test_refusals_last_for_as_many_requests_as_said(call: Caller, simulator: Handle, fault: str, status: int) -> None:
    simulator.faults(f"{fault}=2")
    answers = [call.first_key("2026-03-02").status_code for _ in range(3)]
    assert answers == [status, status, 200]


def test_a_quota_tells_when_to_come_back(call: Caller, simulator: Handle) -> None:
    simulator.faults("429")
    assert call.first_key("2026-03-02").headers["Retry-After"].isdigit()


@pytest.mark.parametrize(
    ("fault", "code"),
    [("denied", "server.serverproxy.access_denied"), ("denied-old", "Server.ServerProxy.AccessDenied")],
)
def test_the_road_denies_in_both_spellings(call: Caller, simulator: Handle, fault: str, code: str) -> None:
    simulator.faults(fault)
    answer = call.first_key("2026-03-02")
    assert answer.headers["X-Road-Error"] == answer.json()["type"] == code


@pytest.mark.parametrize("fault", ["unauthorized", "500", "429"])
def test_refusals_of_the_providers_own_have_no_error_of_the_roads(call: Caller, simulator: Handle, fault: str) -> None:
    simulator.faults(fault)
    assert "X-Road-Error" not in call.first_key("2026-03-02").headers


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_connections(call: Caller, simulator: Handle, fault: str) -> None:
    simulator.faults(f"{fault}=1")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        call.basic_data(simulator.codes(5))
    assert call.basic_data(simulator.codes(5)).ok


@pytest.mark.parametrize("fault", UNREADABLE)
def test_answers_that_are_no_json(call: Caller, simulator: Handle, fault: str) -> None:
    simulator.faults(f"{fault}=1")
    answer = call.basic_data(simulator.codes(5))
    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_a_slow_answer_is_a_right_one(run: Callable[..., Handle]) -> None:
    simulator = run(slow_seconds=0.2)
    simulator.faults("slow=1")
    with Caller(simulator) as call:
        slow, quick = call.first_key("2026-03-02"), call.first_key("2026-03-02")
    assert slow.json() == quick.json()
    assert slow.elapsed.total_seconds() > 0.2 > quick.elapsed.total_seconds()


def test_a_page_twice_repeats_the_entries_before_it_and_goes_on(run: Callable[..., Handle]) -> None:
    simulator = run(page=10)
    simulator.advance(5)
    codes = [code for _, code in simulator.events()]
    with Caller(simulator) as call:
        first = call.changes(call.start_key(), codes).json()
        simulator.faults("twice=1")
        second = call.changes(int(first["viimeisinKirjausavain"]), codes).json()
    assert second["muutokset"][:10] == first["muutokset"]
    assert len(second["muutokset"]) == 20
    assert int(second["viimeisinKirjausavain"]) > int(first["viimeisinKirjausavain"])


def test_a_key_that_is_stuck(call: Caller, simulator: Handle) -> None:
    simulator.faults("stuck")
    key = call.start_key()
    page = call.changes(key, []).json()
    assert int(page["viimeisinKirjausavain"]) == key
    assert not page.get("ajanTasalla", False)


def test_an_endless_feed_advances_and_its_keys_stay_good(call: Caller, simulator: Handle) -> None:
    simulator.faults("endless")
    keys = [call.start_key()]
    for _ in range(5):
        page = call.changes(keys[-1], []).json()
        assert not page.get("ajanTasalla", False)
        keys.append(int(page["viimeisinKirjausavain"]))
    assert keys == sorted(set(keys))
    simulator.faults("none")
    code = simulator.codes(1)[0]
    simulator.append(code, [])
    page = call.changes(keys[-1], [code]).json()
    assert [entry["henkilotunnus"] for entry in page["muutokset"]] == [code]


def test_an_endless_feed_passes_over_nothing(run: Callable[..., Handle]) -> None:
    simulator = run(page=10)
    simulator.advance(5)
    simulator.faults("endless")
    codes, told = [code for _, code in simulator.events()], 0
    with Caller(simulator) as call:
        key = call.start_key()
        for _ in range(len(codes)):
            page = call.changes(key, codes).json()
            key, told = int(page["viimeisinKirjausavain"]), told + len(page["muutokset"])
    assert told == len(codes)


def test_shuffled_rows_are_the_same_in_another_order(call: Caller, simulator: Handle) -> None:
    codes = simulator.codes(9)
    for code in codes:
        simulator.append(code, [{"tietoryhma": f"RYHMA{number}"} for number in range(5)])
    plain = (call.basic_data(codes).json()["perustiedot"], call.all_changes(codes))
    simulator.faults("shuffled")
    other = (call.basic_data(codes).json()["perustiedot"], call.all_changes(codes))
    for before, after in zip(plain, other, strict=True):
        assert before != after
        assert in_order(before) == in_order(after)


def in_order(entries: list[Any]) -> list[tuple[str, list[str]]]:
    return sorted((one["henkilotunnus"], sorted(map(str, one["tietoryhmat"]))) for one in entries)


def test_a_person_left_out_is_there_again_when_the_fault_is_over(call: Caller, simulator: Handle) -> None:
    codes = simulator.codes(9)
    simulator.faults("leftout=1")
    counts = [len(call.basic_data(codes).json()["perustiedot"]) for _ in range(2)]
    assert counts == [8, 9]


@pytest.mark.parametrize(("fault", "code_told"), [("badentry", True), ("nocode", False)])
def test_a_malformed_entry_in_a_good_page(call: Caller, simulator: Handle, *, fault: str, code_told: bool) -> None:
    code = simulator.codes(1)[0]
    simulator.append(code, [])
    simulator.faults(fault)
    entries = call.changes(call.start_key(), [code]).json()["muutokset"]
    bad = next(entry for entry in entries if not isinstance(entry["muutospv"], str))
    assert len(entries) == 2
    assert bad["henkilotunnus"] == (code if code_told else None)


def test_an_unknown_fault_is_refused_with_the_names_that_there_are(simulator: Handle) -> None:
    with pytest.raises(ValueError, match="no such fault: boom") as caught:
        simulator.faults("429", "boom")
    assert all(name in str(caught.value) for name in FAULTS)


@pytest.mark.parametrize("name", ["429=0", "429=x", "429=-1"])
def test_a_fault_lasts_for_one_request_or_more(simulator: Handle, name: str) -> None:
    with pytest.raises(ValueError, match="1 or more"):
        simulator.faults(name)


def test_none_clears_all(call: Caller, simulator: Handle) -> None:
    simulator.faults("429", "leftout")
    simulator.faults("none")
    assert call.first_key("2026-03-02").ok
