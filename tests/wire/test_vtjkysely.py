"""Single look-ups over SOAP: what is sent, which faults there are, and what is asked again (wire.md 3)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.hetu import compose
from tests.wire.certificates import issue, serving
from tests.wire.server import Reply, Server
from tests.wire.soap import (
    BAN_OFF,
    ENVELOPE,
    KYSELY,
    NAMES,
    XML,
    envelope,
    fault,
    fault_code,
    message,
    number,
    response,
    says,
    search,
)
from vtjsync.wire.errors import Denied, Reason, Refused, Unavailable, Unreadable, VtjError
from vtjsync.wire.vtjkysely import Vtjkysely
from vtjsync.wire.vtjkysely_answer import LookUp, Outcome

ONE, TWO, THREE = (compose(date(1990, 1, day), 990 + day, "-") for day in (1, 2, 3))
CLIENT = "FI-TEST/MUN/0101263-6/vtjsync"
SERVICE = "FI-TEST/GOV/0245437-2/VTJkysely/HenkilonTunnusKysely/v1"
FOUND = says(response(message(number(ONE), NAMES, BAN_OFF)))

Make = Callable[..., Vtjkysely]


@pytest.fixture
def make(waits: list[float]) -> Iterator[Make]:
    made: list[Vtjkysely] = []

    def kysely(server: Server, /, **more: Any) -> Vtjkysely:
        given = {
            "server": server.url,
            "client": CLIENT,
            "service": SERVICE,
            "product": "PERUS & CO",
            "username": "käyttäjä",
            "password": "sala<>sana",
            "sleep": waits.append,
        }
        made.append(Vtjkysely(**{**given, **more}))
        return made[-1]

    yield kysely
    for one in made:
        one.close()


def look_up(kysely: Vtjkysely) -> LookUp:
    return kysely.look_up(ONE, asked_by="aino", issue="APPLICATION")


def asked(server: Server, place: int = -1) -> ElementTree.Element:
    return ElementTree.fromstring(server.asked[place].body)  # noqa: S314 - what we have sent ourselves


def error_of(make: Make, server: Server, **more: Any) -> VtjError:
    with pytest.raises(VtjError) as raised:
        look_up(make(server, **more))
    return raised.value


# What is sent


def test_the_envelope_is_that_of_x_road(server: Server, make: Make) -> None:
    server.replies = [FOUND]
    look_up(make(server))
    (sent,) = server.asked
    assert (sent.method, sent.path) == ("POST", "/")
    assert sent.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert sent.headers["SOAPAction"] == '""'
    assert sent.headers["User-Agent"] == "vtjsync"
    assert "Authorization" not in sent.headers
    head, body = asked(server)
    xroad, ids = "{http://x-road.eu/xsd/xroad.xsd}", "{http://x-road.eu/xsd/identifiers}"
    parts = {one.tag.removeprefix(xroad): one for one in head}
    assert set(parts) == {"client", "service", "id", "userId", "issue", "protocolVersion"}
    names = ("xRoadInstance", "memberClass", "memberCode", "subsystemCode", "serviceCode", "serviceVersion")
    for part, kind, text in (("client", "SUBSYSTEM", CLIENT), ("service", "SERVICE", SERVICE)):
        assert parts[part].attrib == {f"{ids}objectType": kind}
        told = [(one.tag.removeprefix(ids), one.text) for one in parts[part]]
        assert told == list(zip(names, text.split("/"), strict=False))
    assert UUID(parts["id"].text).version == 4
    assert [parts[name].text for name in ("userId", "issue", "protocolVersion")] == ["aino", "APPLICATION", "4.0"]
    assert head.tag == f"{{{ENVELOPE}}}Header"
    assert [one.tag for one in body] == [f"{{{KYSELY}}}HenkilonTunnusKysely"]


def test_the_credentials_travel_in_the_body_and_in_their_order(server: Server, make: Make) -> None:
    server.replies = [FOUND]
    look_up(make(server))
    (request,) = asked(server)[1][0]
    told = [(one.tag.removeprefix(f"{{{KYSELY}}}"), one.text or "") for one in request]
    assert told == [
        ("SoSoNimi", "PERUS & CO"),
        ("Kayttajatunnus", "käyttäjä"),
        ("Salasana", "sala<>sana"),
        ("Loppukayttaja", "aino"),
        ("Laskutustiedot", ""),
        ("Henkilotunnus", ONE),
    ]
    look_up(make(server, invoicing="VIITE 7"))
    assert asked(server)[1][0][0][4].text == "VIITE 7"


def test_a_gateways_headers_are_sent_too(server: Server, make: Make) -> None:
    server.replies = [FOUND]
    look_up(make(server, extra_headers={"X-Gateway": "key"}))
    assert server.asked[0].headers["X-Gateway"] == "key"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("client", "FI-TEST/MUN/0101263-6"),
        ("client", ""),
        ("service", "FI-TEST/GOV/0245437-2/VTJkysely/HenkilonTunnusKysely"),
        ("service", "FI-TEST/GOV/0245437-2/VTJkysely/HenkilonTunnistusKysely/v1"),
        ("server", "http://security-server.example.fi"),
        ("server", "https://127.0.0.1:1"),
    ],
)
def test_settings_that_cannot_work_are_refused_at_once(server: Server, make: Make, name: str, value: str) -> None:
    with pytest.raises(ValueError, match="VTJ"):
        make(server, **{name: value})


def test_the_security_server_is_the_pinned_one(make: Make, tmp_path: Path) -> None:
    authority = issue(tmp_path, "authority", authority=True)
    shown, other, us = (issue(tmp_path, name, authority) for name in ("shown", "other", "us"))
    with Server(serving(shown, authority)).running() as server:
        server.replies = [FOUND]
        own = {"cert": us.cert, "key": us.key}
        assert look_up(make(server, server_cert=shown.cert, **own)).outcome is Outcome.FOUND
        error = error_of(make, server, server_cert=other.cert, **own)
        assert (type(error), error.reason) == (Denied, Reason.SERVER_CERTIFICATE)
        assert len(server.asked) == 1


def test_the_environment_does_not_lead_us_elsewhere(
    server: Server, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    server.replies = [FOUND]
    assert look_up(make(server)).outcome is Outcome.FOUND


# A passive code


def test_a_passive_code_is_asked_about_once_more_by_the_new_one(server: Server, make: Make) -> None:
    server.replies = [
        says(response(message(number(TWO), code="0002", search=search(ONE, "2")))),
        says(response(message(number(TWO), NAMES, BAN_OFF, search=search(TWO)))),
    ]
    told = look_up(make(server))
    assert (told.outcome, told.in_force, told.code) == (Outcome.PASSIVE, False, TWO)
    assert (told.first_names, told.last_name) == ("Aino Salla", "Äijälä")
    assert [asked(server, place)[1][0][0][5].text for place in (0, 1)] == [ONE, TWO]
    ids = [asked(server, place)[0][2].text for place in (0, 1)]
    assert ids[0] != ids[1]


def test_a_new_code_that_is_passive_again_is_not_followed(server: Server, make: Make) -> None:
    server.replies = [
        says(response(message(number(TWO), code="0002"))),
        says(response(message(number(THREE), code="0002"))),
        FOUND,
    ]
    told = look_up(make(server))
    assert (told.outcome, told.in_force, told.last_name) == (Outcome.PASSIVE, False, None)
    assert len(server.asked) == 2


@pytest.mark.parametrize("person", [(), (number(ONE),), (number(""),), (number("010190-9999"),)])
def test_a_passive_code_without_a_new_one_is_asked_about_once(
    server: Server, make: Make, person: tuple[str, ...]
) -> None:
    server.replies = [says(response(message(*person, code="0002")))]
    told = look_up(make(server))
    assert (told.outcome, told.in_force) == (Outcome.PASSIVE, False)
    assert len(server.asked) == 1


def test_what_is_withheld_of_the_new_code_is_withheld(server: Server, make: Make) -> None:
    server.replies = [
        says(response(message(number(TWO), code="0002"))),
        says(response(message(code="0019"))),
    ]
    told = look_up(make(server))
    assert (told.outcome, told.code, told.in_force) == (Outcome.WITHHELD, None, False)


# Faults


@pytest.mark.parametrize(
    ("code", "expected", "times"),
    [
        ("Server.ServerProxy.AccessDenied", (Denied, Reason.PERMIT), 1),
        ("server.serverproxy.access_denied", (Denied, Reason.PERMIT), 1),
        ("Server.ClientProxy.SslAuthenticationFailed", (Denied, Reason.OWN_CERTIFICATE), 1),
        ("server.clientproxy.unknown_member", (Unavailable, Reason.ADDRESSING), 1),
        ("Server.ServerProxy.UnknownService", (Unavailable, Reason.ADDRESSING), 1),
        ("Client.InvalidRequest", (Unavailable, Reason.ADDRESSING), 1),
        ("Server.ServerProxy.ServiceFailed.InvalidSoap", (Unavailable, Reason.OUT_OF_ORDER), 3),
        ("server.clientproxy.network_error", (Unavailable, Reason.OUT_OF_ORDER), 3),
        ("soap:Server", (Unavailable, Reason.OUT_OF_ORDER), 3),
        ("", (Unavailable, Reason.OUT_OF_ORDER), 3),
    ],
)
def test_a_fault_is_told_by_the_body(
    server: Server, make: Make, code: str, expected: tuple[object, Reason], times: int
) -> None:
    status = 500 if code == "soap:Server" else 200
    server.replies = [fault(code, status=status)]
    error = error_of(make, server)
    assert ((type(error), error.reason), error.error_type) == (expected, code)
    assert (error.status, error.x_road_id) == (status, asked(server)[0][2].text)
    assert len(server.asked) == times


@pytest.mark.parametrize("code", ["0003", "0004", "-1500"])
@pytest.mark.parametrize("where", ["fault", "message"])
def test_refused_credentials_are_not_tried_again(server: Server, make: Make, code: str, where: str) -> None:
    server.replies = [says(response(fault_code(code) if where == "fault" else message(code=code)))]
    error = error_of(make, server)
    assert (type(error), error.reason) == (Denied, Reason.LOOK_UP_CREDENTIALS)
    assert error.error_type == f"Paluukoodi:{code}"
    assert len(server.asked) == 1


@pytest.mark.parametrize("code", ["-1900", "-1901", "-1904", "-1505", "-1902", "0014"])
def test_wrong_settings_are_not_tried_again(server: Server, make: Make, code: str) -> None:
    server.replies = [says(response(fault_code(code)))]
    error = error_of(make, server)
    assert isinstance(error, Unavailable)
    assert (error.reason, error.again) == (Reason.LOOK_UP_SETTINGS, False)
    assert len(server.asked) == 1


@pytest.mark.parametrize("code", ["-1800", "-1906"])
def test_what_may_pass_is_asked_again_with_a_new_id(server: Server, make: Make, code: str) -> None:
    again = says(response(fault_code(code)))
    server.replies = [again, again, FOUND]
    assert look_up(make(server)).outcome is Outcome.FOUND
    assert len({asked(server, place)[0][2].text for place in range(3)}) == 3


@pytest.mark.parametrize(
    "reply",
    [
        Reply(502, b"<html><h1>Bad Gateway</h1></html>", {"Content-Type": "text/html"}),
        Reply(503, b"<html/>", {"Content-Type": "text/html"}),
        Reply(500, b"", {}),
        Reply(500, b'{"error": 1}', {"Content-Type": "application/json"}),
        Reply(reset=True),
        Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 99\r\n\r\n<s:Envelope"),
    ],
)
def test_a_page_of_a_load_balancer_and_a_broken_line_may_pass(server: Server, make: Make, reply: Reply) -> None:
    server.replies = [reply, FOUND]
    assert look_up(make(server)).outcome is Outcome.FOUND
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("reply", "kind", "reason"),
    [
        (Reply(200, b"<html>sign in</html>", {"Content-Type": "text/html"}), Unreadable, Reason.HTML),
        (Reply(200, b"{}", {"Content-Type": "application/json"}), Unreadable, Reason.NOT_AS_AGREED),
        (Reply(200, b"<a/>", {}), Unreadable, Reason.HTML),
        (says(b""), Unreadable, Reason.EMPTY),
        (says(b" \n"), Unreadable, Reason.EMPTY),
        (says(b"<html><br></html>"), Unreadable, Reason.NOT_AS_AGREED),
        (says(b"<a/>"), Unreadable, Reason.NOT_AS_AGREED),
        (says(b"\xff\xfe<"), Unreadable, Reason.NOT_AS_AGREED),
        (says(envelope("")), Unreadable, Reason.NOT_AS_AGREED),
        (says(envelope("<other/>")), Unreadable, Reason.NOT_AS_AGREED),
        (says(FOUND.body[: len(FOUND.body) // 2]), Unreadable, Reason.NOT_AS_AGREED),
        (says(b" " * 1_100_000), Unreadable, Reason.TOO_LARGE),
        (Reply(404, b"<html/>", {"Content-Type": "text/html"}), Unreadable, Reason.HTML),
        (Reply(302, b"", {"Location": "http://127.0.0.1:1/"}), Unreadable, Reason.REDIRECT),
        (Reply(400, b"{}", {"Content-Type": "application/json"}), Refused, Reason.REFUSED),
        (Reply(401, b"", {}), Denied, Reason.CREDENTIALS),
        (Reply(403, b"<html/>", {"Content-Type": "text/html"}), Denied, Reason.PERMIT),
    ],
)
def test_what_is_no_answer_is_said_to_be_none(
    server: Server, make: Make, reply: Reply, kind: type[VtjError], reason: Reason
) -> None:
    server.replies = [reply]
    error = error_of(make, server)
    assert (type(error), error.reason, error.status) == (kind, reason, reply.status)
    assert error.x_road_id
    assert len(server.asked) == 1


# Attacks

BOMB = "".join(f"<!ENTITY e{n} '{f'&e{n - 1};' * 10}'>" for n in range(1, 12))
INSIDE = FOUND.body.split(b"?>", 1)[1]


@pytest.mark.parametrize(
    "dtd",
    [
        "<!DOCTYPE x>",
        "<!DOCTYPE x SYSTEM 'http://127.0.0.1:{port}/x.dtd'>",
        "<!DOCTYPE x [<!ENTITY e0 'x'>]>",
        f"<!DOCTYPE x [<!ENTITY e0 'x'>{BOMB}]>",
        "<!DOCTYPE x [<!ENTITY e11 SYSTEM 'file:///etc/hostname'>]>",
        "<!DOCTYPE x [<!ENTITY e11 SYSTEM 'http://127.0.0.1:{port}/e'>]>",
        "<!DOCTYPE x [<!ENTITY % p SYSTEM 'http://127.0.0.1:{port}/p'> %p;]>",
    ],
)
@pytest.mark.parametrize("place", ["text", "attribute", "nowhere"])
def test_a_dtd_is_refused_and_nothing_is_fetched_or_blown_up(server: Server, make: Make, dtd: str, place: str) -> None:
    body = INSIDE
    if place == "text":
        body = INSIDE.replace("Äijälä".encode(), b"&e11;")
    if place == "attribute":
        body = INSIDE.replace(b'koodi="0000"', b'koodi="&e11;"')
    server.replies = [says(dtd.replace("{port}", str(server.port)).encode() + body), FOUND]
    started = time.monotonic()
    error = error_of(make, server)
    assert (type(error), error.reason) == (Unreadable, Reason.NOT_AS_AGREED)
    assert time.monotonic() - started < 2
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "inside",
    [
        b"<a>" * 5000 + b"</a>" * 5000,
        b"<a x='" + b"y" * 500_000 + b"'/>",
        b"<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='file:///etc/hostname'/>",
        b"<?xml-stylesheet href='http://127.0.0.1/x'?>",
    ],
)
def test_strange_trees_end_soon(server: Server, make: Make, inside: bytes) -> None:
    server.replies = [says(INSIDE.replace(b"<NykyinenSukunimi>", inside + b"<NykyinenSukunimi>"))]
    started = time.monotonic()
    try:
        assert look_up(make(server)).last_name == "Äijälä"
    except VtjError as error:
        assert error.reason is Reason.NOT_AS_AGREED  # noqa: PT017 - either will do
    assert time.monotonic() - started < 2


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=st.integers(0, len(FOUND.body)),
    cut=st.integers(0, 40),
    filled=st.one_of(st.binary(max_size=12), st.sampled_from([b"<", b"&", b"</Henkilo>", b"]]>", b"<!--", b"&#0;"])),
)
def test_whatever_the_server_says_it_is_a_look_up_or_our_error(
    server: Server, make: Make, place: int, cut: int, filled: bytes
) -> None:
    server.replies = [says(FOUND.body[:place] + filled + FOUND.body[place + cut :])]
    kysely = make(server, attempts=1)
    try:
        assert look_up(kysely).outcome in set(Outcome)
    except VtjError:
        pass
    finally:
        kysely.close()


# Time


def test_the_deadline_covers_both_questions_and_all_attempts(server: Server, make: Make) -> None:
    passive = says(response(message(number(TWO), code="0002")))
    server.replies = [passive, Reply(200, FOUND.body, XML, before=1.0)]
    started = time.monotonic()
    error = error_of(make, server, read_timeout=5.0, deadline=0.4)
    assert (type(error), error.reason) == (Unavailable, Reason.DEADLINE)
    assert time.monotonic() - started < 0.9


def test_an_answer_that_drips_ends_at_the_deadline(server: Server, make: Make) -> None:
    server.replies = [Reply(200, FOUND.body, XML, drip=0.02)]
    started = time.monotonic()
    assert error_of(make, server, read_timeout=0.2, deadline=0.4).reason is Reason.DEADLINE
    assert time.monotonic() - started < 0.9


def test_the_attempts_end_and_their_waits_grow(server: Server, make: Make, waits: list[float]) -> None:
    server.replies = [Reply(503, b"")]
    assert error_of(make, server).status == 503
    assert len(server.asked) == 3
    assert len(waits) == 2
    assert 1 <= waits[0] < waits[1]
