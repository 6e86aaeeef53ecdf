from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import requests

from tests.simulator.calls import Caller
from tests.simulator.conftest import START
from vtjsync.simulator.journal import Conflict
from vtjsync.simulator.server import Handle, start

Run = Callable[..., Handle]


def everything(simulator: Handle) -> tuple[object, ...]:
    with Caller(simulator) as call:
        changes = call.all_changes(sorted({code for _, code in simulator.events()} | set(simulator.codes())))
        key = call.first_key(simulator.now.date().isoformat()).json()
    return simulator.codes(), simulator.truth(), changes, key


def test_the_same_seed_gives_the_same_history_and_another_seed_another(run: Run) -> None:
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    one, same, other = (run(seed=seed, clock=lambda: at) for seed in (1, 1, 2))
    for simulator in (one, same, other):
        simulator.advance(12)
    assert everything(one) == everything(same)
    assert everything(one) != everything(other)


def test_another_vtj_behind_the_same_socket_is_as_if_it_had_been_started(run: Run) -> None:
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    one, other = run(seed=1, clock=lambda: at), run(seed=2, population=80)
    other.advance(3)
    other.faults("stuck")
    other.renew(population=300, seed=1, start_day=START, clock=lambda: at)
    for simulator in (one, other):
        simulator.advance(4)
    assert everything(one) == everything(other)


def test_days_one_by_one_are_the_same_as_all_at_once(run: Run) -> None:
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    one, other = (run(clock=lambda: at) for _ in range(2))
    one.advance(5)
    for _ in range(5):
        other.advance(1)
    assert everything(one) == everything(other)


def test_a_restart_with_its_state_comes_back_the_same(run: Run, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    first = run(state=state, activity=2)
    first.advance(4)
    code = first.happen("ban_started_alone")
    first.append(code, [{"tietoryhma": "TURVAKIELTO", "muutosattribuutti": "MUUTETTU"}], raw={"muutospv": 5})
    first.set_basic(code, [{"tietoryhma": "KUOLINPAIVA", "kuollut": True}])
    first.advance(3)
    first.faults("endless=2")
    with Caller(first) as call:
        keys = [call.changes(call.start_key(), []).json()["viimeisinKirjausavain"] for _ in range(2)]
    before, now = everything(first), first.now
    first.stop()
    second = run(state=state)
    assert everything(second) == before
    assert abs(second.now - now) < timedelta(seconds=30)
    with Caller(second) as call:
        assert call.changes(int(keys[-1]), []).ok
        (person,) = call.basic_data([code]).json()["perustiedot"]
    assert person["tietoryhmat"] == [{"tietoryhma": "KUOLINPAIVA", "kuollut": True}]
    second.advance(1)
    assert len(second.events()) > len(before[2])  # type: ignore[arg-type]


def test_a_restart_without_a_day_goes_on_with_the_day_it_had(run: Run, tmp_path: Path) -> None:
    first = run(state=tmp_path / "state.json", start_day=None)
    first.advance(40)
    first.stop()
    assert run(state=tmp_path / "state.json", start_day=None).now.date() == first.now.date()


@pytest.mark.parametrize(
    "other", [{"seed": 5}, {"population": 301}, {"unique_streets": True}, {"start_day": date(2026, 3, 3)}]
)
def test_the_state_of_another_population_is_refused(run: Run, tmp_path: Path, other: dict[str, object]) -> None:
    run(state=tmp_path / "state.json").stop()
    with pytest.raises(Conflict, match="another population"):
        run(state=tmp_path / "state.json", **other)


@pytest.mark.parametrize("content", ["", "{}", "nonsense", '{"version": 2}'])
def test_a_state_file_that_cannot_be_read_is_refused(run: Run, tmp_path: Path, content: str) -> None:
    state = tmp_path / "state.json"
    state.write_text(content)
    with pytest.raises(Conflict):
        run(state=state)
    assert state.read_text() == content


def test_the_state_is_for_its_owner_alone(run: Run, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    run(state=state).advance(1)
    assert state.stat().st_mode & 0o777 == 0o600
    assert [deed["deed"] for deed in json.loads(state.read_text())["deeds"]] == ["advance"]


def test_time_goes_on_within_a_day_and_no_entry_is_of_a_time_to_come(run: Run) -> None:
    clock = [datetime(2026, 7, 1, 6, tzinfo=UTC)]
    simulator = run(clock=lambda: clock[0])
    simulator.advance(3)
    before = simulator.now
    clock[0] += timedelta(hours=2)
    assert simulator.now - before == timedelta(hours=2)
    assert before.date() == START + timedelta(days=3)
    with Caller(simulator) as call:
        times = [datetime.fromisoformat(entry["muutospv"]) for entry in call.all_changes()]
    assert times == sorted(times)
    assert times[-1] < before


def test_entries_are_of_their_own_day_even_just_after_midnight_and_across_the_clocks_turning(run: Run) -> None:
    simulator = run(start_day=date(2026, 3, 27), clock=lambda: datetime(2026, 7, 1, 21, 0, 20, tzinfo=UTC))
    simulator.advance(4)
    assert simulator.now.date() == date(2026, 3, 31)
    with Caller(simulator) as call:
        times = [
            datetime.fromisoformat(entry["muutospv"]).astimezone(simulator.now.tzinfo) for entry in call.all_changes()
        ]
    assert {time.date() for time in times} == {date(2026, 3, day) for day in (28, 29, 30, 31)}


@pytest.mark.parametrize("turning", [date(2026, 3, 29), date(2026, 10, 25)])
def test_times_rise_through_the_day_that_the_clocks_turn(run: Run, turning: date) -> None:
    start_day, clock = turning - timedelta(days=1), datetime(2026, 7, 1, 18, tzinfo=UTC)
    simulator = run(start_day=start_day, clock=lambda: clock, activity=20)
    simulator.advance(1)
    with Caller(simulator) as call:
        times = [datetime.fromisoformat(entry["muutospv"]) for entry in call.all_changes()]
    assert len(times) > 100
    assert times == sorted(times)
    assert {time.astimezone(simulator.now.tzinfo).date() for time in times} == {turning}


def test_an_appended_entry_is_delivered_as_it_is(call: Caller, simulator: Handle) -> None:
    code = simulator.codes(1)[0]
    key = simulator.append(code, ["not a row"], raw={"muutospv": None, "lisa": 1})
    (entry,) = call.changes(call.start_key(), [code]).json()["muutokset"]
    assert entry == {"henkilotunnus": code, "tietoryhmat": ["not a row"], "muutospv": None, "lisa": 1}
    assert int(call.changes(call.start_key(), []).json()["viimeisinKirjausavain"]) == key


def test_basic_data_set_by_hand_lasts_until_taken_back(call: Caller, simulator: Handle) -> None:
    code = simulator.codes(1)[0]
    right = call.basic_data([code]).json()
    simulator.set_basic(code, [])
    assert call.basic_data([code]).json()["perustiedot"][0]["tietoryhmat"] == []
    simulator.set_basic(code, None)
    assert call.basic_data([code]).json() == right


def test_a_taken_port_and_a_bad_number_of_days_are_refused(simulator: Handle) -> None:
    with pytest.raises(OSError, match="in use"):
        start(population=10, seed=1, port=simulator.port)
    for days in (0, -1, 100_000):
        with pytest.raises(ValueError, match="number of days"):
            simulator.advance(days)


def test_a_stopped_simulator_gives_its_port_back(run: Run) -> None:
    simulator = run()
    simulator.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{simulator.url}/listClients", timeout=5)
    assert run(port=simulator.port).port == simulator.port


def test_control_is_not_for_web_pages(simulator: Handle) -> None:
    url = f"{simulator.url}/control/status"
    assert requests.post(url, timeout=5).json()["population"] == 300
    assert requests.post(url, headers={"Origin": "http://example.org"}, timeout=5).status_code == 403
    assert requests.post(f"{simulator.url}/control/nothing", timeout=5).status_code == 400
    assert requests.post(url, data="{", timeout=5).status_code == 400


def test_millions_of_people_are_ready_at_once(run: Run) -> None:
    begun = datetime.now(UTC)
    simulator = run(population=5_600_000)
    with Caller(simulator) as call:
        people = call.basic_data(simulator.codes(1000)).json()["perustiedot"]
    assert len(people) == 1000
    assert datetime.now(UTC) - begun < timedelta(seconds=3)
