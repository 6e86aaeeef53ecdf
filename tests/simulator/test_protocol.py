from __future__ import annotations

from collections.abc import Callable
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection

import pytest

from tests.simulator.calls import Caller
from vtjsync.simulator.protocol import CLIENT, SERVICE, path
from vtjsync.simulator.rows import GROUPS
from vtjsync.simulator.server import Handle


def test_answers_carry_the_roads_headers_and_the_simulated_time(call: Caller, simulator: Handle) -> None:
    simulator.advance(10)
    answer = call.get(path(SERVICE, "kirjausavain", "2026-03-02"), X_Road_Id="this-one")
    assert answer.headers["X-Road-Id"] == "this-one"
    assert answer.headers["X-Road-Request-Id"]
    assert abs((parsedate_to_datetime(answer.headers["Date"]) - simulator.now).total_seconds()) < 5
    assert simulator.now.date().isoformat() == "2026-03-12"


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"X_Road_Client": None}, 400, "client.bad_request"),
        ({"X_Road_Client": "FI-TEST/MUN"}, 400, "client.bad_request"),
        ({"X_Road_Client": "FI-TEST/MUN/0101263-6/another"}, 500, "server.clientproxy.unknown_member"),
        ({"X_Road_Id": None}, 400, "client.bad_request"),
    ],
)
def test_the_road_refuses_a_client_that_it_does_not_know(
    call: Caller, headers: dict[str, str | None], status: int, code: str
) -> None:
    answer = call.post("perustiedot", {"hetulista": []}, **headers)
    assert (answer.status_code, answer.headers["X-Road-Error"], answer.json()["type"]) == (status, code, code)


def test_the_road_refuses_an_unknown_service(call: Caller) -> None:
    answer = call.get("/r1/FI-TEST/GOV/0245437-2/VTJmutpa/Another/api/v1/kirjausavain/2026-03-02")
    assert answer.headers["X-Road-Error"] == "server.clientproxy.unknown_service"


def test_wrong_credentials_are_the_providers_own_refusal(call: Caller) -> None:
    call.session.auth = ("simulator", "wrong")
    answer = call.first_key("2026-03-02")
    assert answer.status_code == 401
    assert "X-Road-Error" not in answer.headers


def test_credentials_may_come_in_the_gateways_header(call: Caller) -> None:
    call.session.auth = None
    given = "Basic c2ltdWxhdG9yOnNpbXVsYXRvcg=="
    answer = call.get(path(SERVICE, "kirjausavain", "2026-03-02"), X_Authorization=given)
    assert answer.status_code == 200


def test_self_test_without_personal_data(call: Caller) -> None:
    methods = call.get("/r1/FI-TEST/GOV/0245437-2/VTJmutpa/allowedMethods").json()
    assert methods["service"][0]["service_code"] == "VTJmutpa"
    assert call.get("/listClients").json()["member"][0]["id"]["subsystem_code"] == CLIENT.split("/")[-1]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("perustiedot", {"hetulista": [], "tietoryhmat": None}),
        ("perustiedot", {"hetulista": None}),
        ("perustiedot", {"hetulista": [], "muuta": 1}),
        ("perustiedot", {}),
        ("perustiedot", []),
        ("perustiedot", {"hetulista": ["x"] * 1001}),
        ("muutokset", {"hetulista": []}),
        ("muutokset", {"hetulista": [], "viimeisinKirjausavain": None}),
        ("muutokset", {"hetulista": [], "viimeisinKirjausavain": 5446623423, "sivu": 1}),
        ("muutokset", {"hetulista": [], "viimeisinKirjausavain": 1}),
        ("muutokset", {"hetulista": [], "viimeisinKirjausavain": 9999999999999}),
    ],
)
def test_a_body_is_checked_strictly(call: Caller, name: str, body: object) -> None:
    assert call.post(name, body).status_code == 400


@pytest.mark.parametrize(("day", "status"), [("2026-13-01", 400), ("2099-01-01", 400), ("2026-03-02", 200)])
def test_a_first_key_is_of_a_day_that_has_been(call: Caller, day: str, status: int) -> None:
    assert call.first_key(day).status_code == status


def test_wrong_methods_and_paths(call: Caller) -> None:
    assert call.get(path(SERVICE, "muutokset")).status_code == 405
    assert call.get(path(SERVICE, "other")).status_code == 404


def test_thousand_codes_and_only_the_groups_asked_for(run: Callable[..., Handle]) -> None:
    simulator = run(population=1000)
    with Caller(simulator) as call:
        people = call.basic_data(simulator.codes(), ["KOTIKUNTA", "EDUNVALVONTA"]).json()["perustiedot"]
    assert [person["henkilotunnus"] for person in people] == simulator.codes()
    assert {row["tietoryhma"] for person in people for row in person["tietoryhmat"]} == {"KOTIKUNTA"}


def test_unknown_codes_and_groups_that_are_not_granted_are_left_out_in_silence(call: Caller, simulator: Handle) -> None:
    known = simulator.codes(1)
    simulator.grant(["HENKILON_NIMI", "KOTIKUNTA"])
    simulator.append(known[0], [{"tietoryhma": "KUOLINPAIVA", "kuollut": True, "muutosattribuutti": "LISATTY"}])
    people = call.basic_data([*known, "010190-999P", "huono"], list(GROUPS)).json()["perustiedot"]
    assert [person["henkilotunnus"] for person in people] == known
    assert {row["tietoryhma"] for row in people[0]["tietoryhmat"]} <= {"HENKILON_NIMI", "KOTIKUNTA"}
    assert call.all_changes() == []


def test_the_first_key_of_a_day_leads_to_all_of_that_day_and_later(call: Caller, simulator: Handle) -> None:
    simulator.advance(5)
    key = int(call.first_key("2026-03-05").json()["viimeisinKirjausavain"])
    entries = call.changes(key, simulator.codes()).json()["muutokset"]
    earlier = len(call.all_changes()) - len(entries)
    assert earlier > 0
    # Helsinki's midnight is 22 o'clock of the day before in UTC.
    assert min(entry["muutospv"] for entry in entries) >= "2026-03-04T22:00"
    assert key > 2**32


def test_a_key_comes_as_a_number_or_a_string_and_up_to_date_may_be_missing(run: Callable[..., Handle]) -> None:
    simulator = run(page=1)
    simulator.advance(10)
    seen = set()
    with Caller(simulator) as call:
        key = call.start_key()
        while True:
            page = call.changes(key, []).json()
            seen.add((type(page["viimeisinKirjausavain"]), page.get("ajanTasalla")))
            key = int(page["viimeisinKirjausavain"])
            if page.get("ajanTasalla"):
                break
        counts = [call.basic_data(simulator.codes(count)).json().get("ajanTasalla") for count in (2, 3)]
    assert {kind for kind, _ in seen} == {int, str}
    assert {told for _, told in seen} == {True, False, None}
    assert counts == [True, None]


def test_pages_end_where_the_log_ends_and_hold_each_entry_once(run: Callable[..., Handle]) -> None:
    simulator = run(page=7)
    simulator.advance(6)
    with Caller(simulator) as call:
        entries = call.all_changes(list({code for _, code in simulator.events()}))
    assert [entry["henkilotunnus"] for entry in entries] == [code for _, code in simulator.events()]


def test_requests_are_kept_for_assertions(call: Caller, simulator: Handle) -> None:
    codes = simulator.codes(2)
    call.basic_data(codes, ["KOTIKUNTA"])
    call.first_key("2026-03-02")
    assert simulator.requests == [
        ("perustiedot", {"hetulista": codes, "tietoryhmat": ["KOTIKUNTA"]}),
        ("kirjausavain/2026-03-02", None),
    ]


def test_a_connection_is_kept_alive(simulator: Handle) -> None:
    connection = HTTPConnection("127.0.0.1", simulator.port, timeout=10)
    sockets = []
    for _ in range(2):
        connection.request("GET", "/listClients")
        assert connection.getresponse().read()
        sockets.append(connection.sock)
    assert sockets[0] is sockets[1] is not None
    connection.close()
