"""VTJkysely behind the same security server: an envelope in, an envelope out (wire.md 3).

Strict where X-Road and VTJ are: every part of the head is checked, and then every part of the question. A security
server's fault comes with status 200.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from hashlib import sha512
from typing import Final
from uuid import uuid4
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from vtjsync.simulator import products
from vtjsync.simulator.products import PRODUCTS, Product
from vtjsync.simulator.protocol import HTML, LOGIN, Answer, Protocol, Request

SERVICE: Final = "FI-TEST/GOV/0245437-2/VTJkysely/HenkilonTunnusKysely/v1"
CALL: Final = "vtjkysely"
XML: Final = "text/xml; charset=utf-8"

SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
XROAD: Final = "http://x-road.eu/xsd/xroad.xsd"
IDS: Final = "http://x-road.eu/xsd/identifiers"
KYSELY: Final = "http://xml.vrk.fi/ws/vtj/vtjkysely/1"
ID_PARTS: Final = ("xRoadInstance", "memberClass", "memberCode", "subsystemCode", "serviceCode", "serviceVersion")
FIELDS: Final = ("SoSoNimi", "Kayttajatunnus", "Salasana", "Loppukayttaja", "Laskutustiedot", "Henkilotunnus")


class Fault(Exception):
    """The envelope is not let through. ``code`` is X-Road's."""

    def __init__(self, code: str, text: str, status: int = 200) -> None:
        super().__init__(text)
        self.code, self.status = code, status


class Kysely:
    """Answers single look-ups from the world of the ``protocol``. Not safe for threads: the server locks."""

    def __init__(self, protocol: Protocol, *, username: str, password: str, service: str) -> None:
        self._protocol = protocol
        self._username, self._password, self._service = username, password, service

    def answer(self, request: Request) -> Answer:
        """The answer to what was posted to ``/``."""
        try:
            answer = self._answered(request)
        except Fault as fault:
            inside = f"<faultcode>{fault.code}</faultcode><faultstring>{escape(str(fault))}</faultstring>"
            answer = Answer(fault.status, _envelope("", f"<SOAP-ENV:Fault>{inside}</SOAP-ENV:Fault>"), XML)
        answer.headers["X-Road-Request-Id"] = str(uuid4())
        return answer

    def _answered(self, request: Request) -> Answer:
        head, body = _opened(request)
        self._check(head, body)
        asked = _question(body)
        if self._protocol.requests is not None:
            self._protocol.requests.append((CALL, asked))
        spoiled = next((spoil() for name, spoil in SPOILED.items() if self._take(name)), None)
        if spoiled is not None:
            return spoiled
        told = _failure("-1906") if self._take("busy") else self._told(asked)
        return self._mangled(Answer(200, _echo(head, request.body, asked, told), XML))

    def _take(self, name: str) -> bool:
        return self._protocol.faults.take(name, CALL)

    def _mangled(self, answer: Answer) -> Answer:
        """The answer after the faults that leave some of it."""
        if self._take("dtd"):
            answer.body = DTD + answer.body.split(b"?>", 1)[1]
        if self._take("empty"):
            answer.body = b""
        if self._take("half"):
            answer.body = answer.body[: len(answer.body) // 2]
        answer.cut, answer.slow = self._take("cut"), self._take("slow")
        return answer

    def _check(self, head: Element, body: Element) -> None:
        """What a security server looks at. Raises :class:`Fault`."""
        told = {one.tag.removeprefix(f"{{{XROAD}}}"): one for one in head}
        for name in ("client", "service", "id", "protocolVersion"):
            if name not in told:
                raise Fault("Client.MissingHeaderField", f"Required field {name} is missing")
        if told["protocolVersion"].text != "4.0":
            raise Fault("Client.InvalidProtocolVersion", "Expected 4.0")
        if not told["id"].text:
            raise Fault("Client.MissingHeaderField", "Required field id is empty")
        if _identifier(told["client"], "SUBSYSTEM") != self._protocol.client:
            raise Fault("Server.ClientProxy.UnknownMember", "Client is not registered")
        if _identifier(told["service"], "SERVICE") != self._service:
            raise Fault("server.clientproxy.unknown_service", "Unknown service")
        if body.tag != f"{{{KYSELY}}}{self._service.split('/')[4]}":
            raise Fault("Client.InvalidBody", "The body is not of the service")

    def _told(self, asked: dict[str, str]) -> str:
        """What stands in ``response``."""
        product = PRODUCTS.get(asked["SoSoNimi"])
        if product is None:
            return _failure("-1901")
        if not asked["Loppukayttaja"]:
            return _failure("-1904")
        if asked["Kayttajatunnus"] != self._username or self._take("unauthorized"):
            return _failure("0004")
        if asked["Salasana"] != self._password:
            return _failure("0003")
        return self._person(product, asked["Henkilotunnus"])

    def _person(self, product: Product, asked: str) -> str:
        world = self._protocol.world
        person, today = world.person(asked), world.today
        if person is not None:
            code = products.return_code(product, person, today)
            if code in ("0000", "0018"):
                return products.message(product, code, asked, products.person_element(product, person, today))
        else:
            newer = world.code_now(asked)
            code = "0001" if newer is None else "0002"
            if newer is not None:
                return products.message(product, code, asked, products.new_code_element(product, newer))
        return _failure(code) if product.bare else products.message(product, code, asked, "")


def _opened(request: Request) -> tuple[Element, Element]:
    """The head, and what is in the body. Raises :class:`Fault`."""
    if request.headers.get("content-type", "").partition(";")[0] != "text/xml":
        raise Fault("Client.InvalidContentType", "Expected text/xml")
    try:
        envelope = ElementTree.fromstring(request.body)  # noqa: S314 - for this machine only
    except ElementTree.ParseError as error:
        raise Fault("Client.InvalidXml", "Not XML") from error
    head, body = (envelope.find(f"{{{SOAP}}}{name}") for name in ("Header", "Body"))
    if envelope.tag != f"{{{SOAP}}}Envelope" or head is None or body is None or len(body) != 1:
        raise Fault("Client.InvalidSoap", "Not an envelope with a head and a body")
    return head, body[0]


def _identifier(element: Element, kind: str) -> str:
    """X-Road's id with slashes between its parts; empty when they are not all there and in order."""
    told = [(one.tag.removeprefix(f"{{{IDS}}}"), one.text or "") for one in element]
    names = tuple(name for name, _ in told)
    right = names == ID_PARTS[: len(names)] and element.get(f"{{{IDS}}}objectType") == kind
    return "/".join(text for _, text in told) if right else ""


def _question(body: Element) -> dict[str, str]:
    """The fields of ``request``, which have their order. Raises :class:`Fault`, as the provider does."""
    fields = [(one.tag.removeprefix(f"{{{KYSELY}}}"), one.text or "") for outer in body for one in outer]
    if tuple(name for name, _ in fields) != FIELDS or [one.tag for one in body] != [f"{{{KYSELY}}}request"]:
        raise Fault("soap:Client", "The question is not as agreed", status=500)
    return dict(fields)


def _failure(code: str) -> str:
    return f"<faultCode>{code}</faultCode><faultString>Selite</faultString>"


def _echo(head: Element, question: bytes, asked: dict[str, str], told: str) -> bytes:
    """The answer's envelope: the head as it came with a hash of the question, the question, and what is told."""
    hashed = b64encode(sha512(question).digest()).decode()
    parts = "".join(ElementTree.tostring(one, encoding="unicode") for one in head)
    method = "http://www.w3.org/2001/04/xmlenc#sha512"
    parts += f'<x:requestHash xmlns:x="{XROAD}" algorithmId="{method}">{hashed}</x:requestHash>'
    request = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in asked.items() if name != "Salasana")
    name = "HenkilonTunnusKyselyResponse"
    inside = f"<request>{request}</request><response>{told}</response>"
    return _envelope(parts, f'<{name} xmlns="{KYSELY}">{inside}</{name}>')


def _envelope(head: str, body: str) -> bytes:
    inside = f"<SOAP-ENV:Header>{head}</SOAP-ENV:Header><SOAP-ENV:Body>{body}</SOAP-ENV:Body>"
    envelope = f'<SOAP-ENV:Envelope xmlns:SOAP-ENV="{SOAP}">{inside}</SOAP-ENV:Envelope>'
    return f'<?xml version="1.0" encoding="UTF-8"?>{envelope}'.encode()


def _refused(code: str, text: str, status: int = 200) -> Callable[[], Answer]:
    def refuse() -> Answer:
        raise Fault(code, text, status)

    return refuse


SPOILED: Final[dict[str, Callable[[], Answer]]] = {
    "500": _refused("soap:Server", "Internal error", 500),
    "502html": lambda: Answer(502, HTML, "text/html"),
    "denied": _refused("server.serverproxy.access_denied", "Request is not allowed"),
    "denied-old": _refused("Server.ServerProxy.AccessDenied", "Request is not allowed"),
    "html200": lambda: Answer(200, LOGIN, "text/html"),
    "reset": lambda: Answer(200, b"", reset=True),
}
# Harmless where a DTD is refused; elsewhere it asks for a file, and for a thousand million letters.
BOMB: Final = "".join(f"<!ENTITY e{n} '{f'&e{n - 1};' * 10}'>" for n in range(1, 10))
DTD: Final = f"<!DOCTYPE x [<!ENTITY e0 'x'>{BOMB}<!ENTITY f SYSTEM 'file:///etc/hostname'>]>".encode()
