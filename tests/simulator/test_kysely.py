"""VTJkysely of the simulator, from the outside: what it checks, what it answers, and how it fails (wire.md 3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import pytest
import requests

from vtjsync.simulator import population
from vtjsync.simulator.kysely import CALL, IDS, KYSELY, SERVICE, SOAP, XROAD
from vtjsync.simulator.products import PRODUCTS
from vtjsync.simulator.protocol import CLIENT
from vtjsync.simulator.server import PASSWORD, USERNAME, Handle, start

FULL, PARTS, NAMES = PRODUCTS
Run = Callable[..., Handle]


class Caller:
    """Asks with the right envelope; any part of it can be given otherwise, None leaves one out."""

    def __init__(self, simulator: Handle) -> None:
        self.simulator = simulator
        self.session = requests.Session()
        self.session.trust_env = False

    def ask(self, code: str, **other: Any) -> requests.Response:
        fields = {
            "SoSoNimi": FULL,
            "Kayttajatunnus": USERNAME,
            "Salasana": PASSWORD,
            "Loppukayttaja": "aino",
            "Laskutustiedot": "",
            "Henkilotunnus": code,
        } | {name: text for name, text in other.items() if name[0].isupper()}
        head = {
            "client": identifier("SUBSYSTEM", CLIENT),
            "service": identifier("SERVICE", SERVICE),
            "id": ("", "id-1"),
            "userId": ("", "aino"),
            "protocolVersion": ("", "4.0"),
        } | {name: told for name, told in other.items() if not name[0].isupper()}
        told = "".join(f"<x:{name}{one[0]}>{one[1]}</x:{name}>" for name, one in head.items() if one)
        request = "".join(f"<k:{name}>{escape(text)}</k:{name}>" for name, text in fields.items() if text is not None)
        body = f"<k:HenkilonTunnusKysely><k:request>{request}</k:request></k:HenkilonTunnusKysely>"
        return self.post(
            f'<s:Envelope xmlns:s="{SOAP}" xmlns:x="{XROAD}" xmlns:i="{IDS}" xmlns:k="{KYSELY}">'
            f"<s:Header>{told}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
        )

    def post(self, body: str, content_type: str = "text/xml; charset=utf-8") -> requests.Response:
        head = {"Content-Type": content_type}
        return self.session.post(f"{self.simulator.url}/", body.encode(), headers=head, timeout=10)


def identifier(kind: str, text: str) -> tuple[str, str]:
    names = ("xRoadInstance", "memberClass", "memberCode", "subsystemCode", "serviceCode", "serviceVersion")
    inside = "".join(f"<i:{name}>{part}</i:{name}>" for name, part in zip(names, text.split("/"), strict=False))
    return f' i:objectType="{kind}"', inside


@pytest.fixture
def caller(simulator: Handle) -> Iterator[Caller]:
    caller = Caller(simulator)
    yield caller
    caller.session.close()


def fault(answer: requests.Response) -> str | None:
    return ElementTree.fromstring(answer.content).findtext(".//faultcode")  # noqa: S314 - the simulator's own


def return_code(answer: requests.Response) -> str:
    told = re.search(r'koodi="(.*?)"|<faultCode>(.*?)</faultCode>', answer.text)
    assert told
    return told[1] or told[2]


def in_life(simulator: Handle, lives: range) -> str:
    """The code of somebody whose life at the start is one of these."""
    people = simulator._control.world.population
    index = next(i for i in range(people.size) if (i * population._LIVES + people._life_shift) % 1000 in lives)
    return people.code(index)


# The envelope


def test_an_answer_echoes_the_head_and_the_question_without_the_password(caller: Caller) -> None:
    code = caller.simulator.codes(1)[0]
    answer = caller.ask(code, issue=("", "APPLICATION"))
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    head, body = ElementTree.fromstring(answer.content)  # noqa: S314 - the simulator's own
    told = {one.tag.removeprefix(f"{{{XROAD}}}"): one for one in head}
    assert list(told) == ["client", "service", "id", "userId", "protocolVersion", "issue", "requestHash"]
    assert (told["id"].text, told["issue"].text) == ("id-1", "APPLICATION")
    assert [one.text for one in told["client"]] == CLIENT.split("/")
    assert body[0].tag == f"{{{KYSELY}}}HenkilonTunnusKyselyResponse"
    assert [one.tag.removeprefix(f"{{{KYSELY}}}") for one in body[0]] == ["request", "response"]
    assert code in "".join(body[0][0].itertext())
    assert "Salasana" not in answer.text


@pytest.mark.parametrize(
    ("part", "told", "code"),
    [
        ("client", None, "Client.MissingHeaderField"),
        ("service", None, "Client.MissingHeaderField"),
        ("id", None, "Client.MissingHeaderField"),
        ("id", ("", ""), "Client.MissingHeaderField"),
        ("protocolVersion", None, "Client.MissingHeaderField"),
        ("protocolVersion", ("", "3.1"), "Client.InvalidProtocolVersion"),
        ("client", identifier("SUBSYSTEM", "FI-TEST/MUN/0101263-6/another"), "Server.ClientProxy.UnknownMember"),
        ("client", identifier("MEMBER", CLIENT), "Server.ClientProxy.UnknownMember"),
        ("service", identifier("SERVICE", f"{SERVICE}0"), "server.clientproxy.unknown_service"),
    ],
)
def test_a_security_servers_fault_comes_with_status_200(caller: Caller, part: str, told: object, code: str) -> None:
    answer = caller.ask(caller.simulator.codes(1)[0], **{part: told})
    assert (answer.status_code, fault(answer)) == (200, code)
    assert caller.simulator.requests == []


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        ("<a/>", "application/json", "Client.InvalidContentType"),
        ("<a", "text/xml", "Client.InvalidXml"),
        ("<a/>", "text/xml", "Client.InvalidSoap"),
        (f'<s:Envelope xmlns:s="{SOAP}"><s:Body><a/></s:Body></s:Envelope>', "text/xml", "Client.InvalidSoap"),
        (f'<s:Envelope xmlns:s="{SOAP}"><s:Header/><s:Body/></s:Envelope>', "text/xml", "Client.InvalidSoap"),
    ],
)
def test_what_is_no_envelope_is_not_let_through(caller: Caller, body: str, content_type: str, code: str) -> None:
    answer = caller.post(body, content_type)
    assert (answer.status_code, fault(answer)) == (200, code)


@pytest.mark.parametrize("other", [{"Laskutustiedot": None}, {"Vara1": "x"}])
def test_the_question_has_its_fields_in_their_order(caller: Caller, other: dict[str, str | None]) -> None:
    answer = caller.ask(caller.simulator.codes(1)[0], **other)
    assert (answer.status_code, fault(answer)) == (500, "soap:Client")


# Return codes


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"Kayttajatunnus": "another"}, "0004"),
        ({"Salasana": "another"}, "0003"),
        ({"SoSoNimi": "PERUSSANOMA"}, "-1901"),
        ({"Loppukayttaja": ""}, "-1904"),
        ({"Henkilotunnus": "010190-999P"}, "0001"),
        ({"Henkilotunnus": "huono"}, "0001"),
    ],
)
@pytest.mark.parametrize("product", PRODUCTS)
def test_what_is_wrong_is_told_by_a_return_code(caller: Caller, product: str, other: dict[str, str], code: str) -> None:
    answer = caller.ask(caller.simulator.codes(1)[0], **{"SoSoNimi": product} | other)
    assert (answer.status_code, return_code(answer)) == (200, code)
    assert "Henkilo>" not in answer.text


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_passive_code_leads_to_the_new_one(caller: Caller, product: str) -> None:
    old = caller.simulator.happen("code_changed")
    (truth,) = caller.simulator.truth([old])
    answer = caller.ask(old, SoSoNimi=product)
    assert return_code(answer) == "0002"
    assert f">{truth['henkilotunnus']}<" in answer.text
    assert truth["sukunimi"] not in answer.text
    assert return_code(caller.ask(truth["henkilotunnus"], SoSoNimi=product)) in ("0000", "0018")


@pytest.mark.parametrize(("product", "code"), [(FULL, "0007"), (PARTS, "0000"), (NAMES, "0007")])
def test_the_dead_are_told_by_some_products(caller: Caller, product: str, code: str) -> None:
    answer = caller.ask(caller.simulator.happen("died"), SoSoNimi=product)
    assert return_code(answer) == code
    assert ("Kuollut>1<" in answer.text) == (code == "0000")


def test_a_child_has_a_return_code_of_its_own(run: Run) -> None:
    simulator = run(population=1000)
    child = next(one for one in simulator.codes() if one[6] in "ABCDEF" and int(one[4:6]) > 15)
    caller = Caller(simulator)
    assert return_code(caller.ask(child)) == "0018"
    caller.session.close()


@pytest.mark.parametrize(("product", "told"), [(FULL, "1"), (PARTS, "9"), (NAMES, None)])
def test_a_ban_is_told_in_the_products_own_word_and_without_a_place(run: Run, product: str, told: str | None) -> None:
    simulator = run(population=1000, unique_streets=True)
    code = in_life(simulator, population.BANNED)
    caller = Caller(simulator)
    answer = caller.ask(code, SoSoNimi=product)
    caller.session.close()
    assert return_code(answer) == ("0019" if told is None else "0000")
    assert ("TurvakieltoTieto>" in answer.text) == (told is not None)
    assert told is None or f"TurvakieltoTieto>{told}<" in answer.text
    street = simulator._control.world.person(code).homes[0].street_fi  # type: ignore[union-attr]
    assert street not in answer.text


# The products


def test_the_products_differ_in_order_form_and_namespace(caller: Caller) -> None:
    code = next(
        record["henkilotunnus"]
        for record in caller.simulator.truth()
        if record["vakinainen_kotimainen_osoite"] and not record["turvakielto"] and not record["kuollut"]
    )
    told = {product: caller.ask(code, SoSoNimi=product).text for product in PRODUCTS}
    names = {product: re.findall(r"<(?:\w+:)?([A-Z]\w+)[ />]", text) for product, text in told.items()}
    for one, other in ((FULL, PARTS), (FULL, NAMES), (PARTS, NAMES)):
        both = [name for name in names[one] if name in names[other]]
        assert both != [name for name in names[other] if name in names[one]]
    assert "LahiosoiteS" in names[FULL]
    assert "KatuS" not in names[FULL]
    assert "KatuS" in names[PARTS]
    assert "LahiosoiteS" not in names[PARTS]
    assert {"Turvakielto", "Kotikunta", "Postinumero"}.isdisjoint(names[NAMES])
    assert "ns2:Henkilo>" in told[PARTS]


def test_a_date_is_told_as_far_as_it_is_known(run: Run) -> None:
    simulator = run(population=1000, start_day=date(2026, 3, 2))
    caller = Caller(simulator)
    seen = set()
    for record in simulator.truth():
        home = record["vakinainen_kotimainen_osoite"]
        if home and home["alkupv"] and len(home["alkupv"]) not in seen and not record["kuollut"]:
            seen.add(len(home["alkupv"]))
            text = caller.ask(record["henkilotunnus"]).text
            assert f"AsuminenAlkupvm>{home['alkupv'].replace('-', '').ljust(8, '0')}<" in text
    caller.session.close()
    assert seen == {4, 7, 10}


def test_a_question_is_kept_for_assertions(caller: Caller) -> None:
    code = caller.simulator.codes(1)[0]
    caller.ask(code)
    ((call, asked),) = caller.simulator.requests
    assert call == CALL
    assert (asked["Henkilotunnus"], asked["Loppukayttaja"], asked["Laskutustiedot"]) == (code, "aino", "")


# Faults


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("500", 500, "soap:Server"),
        ("denied", 200, "server.serverproxy.access_denied"),
        ("denied-old", 200, "Server.ServerProxy.AccessDenied"),
    ],
)
def test_faults_of_the_road_and_of_the_provider(caller: Caller, name: str, status: int, code: str) -> None:
    caller.simulator.faults(f"{name}=1")
    known = caller.simulator.codes(1)[0]
    answer = caller.ask(known)
    assert (answer.status_code, fault(answer)) == (status, code)
    assert fault(caller.ask(known)) is None


@pytest.mark.parametrize(("name", "code"), [("unauthorized", "0004"), ("busy", "-1906")])
def test_faults_that_are_return_codes(caller: Caller, name: str, code: str) -> None:
    caller.simulator.faults(f"{name}=1")
    known = caller.simulator.codes(1)[0]
    assert [return_code(caller.ask(known)) == code for _ in range(2)] == [True, False]


@pytest.mark.parametrize(("name", "status"), [("502html", 502), ("html200", 200)])
def test_a_web_page_instead_of_an_answer(caller: Caller, name: str, status: int) -> None:
    caller.simulator.faults(name)
    answer = caller.ask(caller.simulator.codes(1)[0])
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html")


@pytest.mark.parametrize("name", ["reset", "cut"])
def test_a_broken_connection(caller: Caller, name: str) -> None:
    caller.simulator.faults(f"{name}=1")
    known = caller.simulator.codes(1)[0]
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        caller.ask(known)
    assert caller.ask(known).ok


@pytest.mark.parametrize("name", ["empty", "half"])
def test_an_answer_that_is_no_xml(caller: Caller, name: str) -> None:
    caller.simulator.faults(f"{name}=1")
    answer = caller.ask(caller.simulator.codes(1)[0])
    assert answer.status_code == 200
    with pytest.raises(ElementTree.ParseError):
        fault(answer)


def test_an_answer_with_a_dtd(caller: Caller) -> None:
    caller.simulator.faults("dtd=1")
    assert caller.ask(caller.simulator.codes(1)[0]).text.startswith("<!DOCTYPE x [<!ENTITY")


def test_a_slow_answer_is_a_right_one(run: Run) -> None:
    simulator = run(slow_seconds=0.2)
    simulator.faults("slow=1")
    caller = Caller(simulator)
    slow, quick = (caller.ask(simulator.codes(1)[0]) for _ in range(2))
    caller.session.close()
    assert return_code(slow) == return_code(quick)
    assert slow.elapsed.total_seconds() > 0.2 > quick.elapsed.total_seconds()


def test_the_other_protocol_goes_on_beside_it(simulator: Handle, caller: Caller) -> None:
    assert requests.get(f"{simulator.url}/listClients", timeout=10).ok
    assert requests.get(f"{simulator.url}/", timeout=10).status_code == 400
    assert caller.ask(simulator.codes(1)[0]).ok


def test_the_service_is_a_parameter() -> None:
    simulator = start(population=60, seed=7, look_up_service=SERVICE.replace("v1", "v2"))
    caller = Caller(simulator)
    answer = caller.ask(simulator.codes(1)[0])
    caller.session.close()
    simulator.stop()
    assert fault(answer) == "server.clientproxy.unknown_service"
