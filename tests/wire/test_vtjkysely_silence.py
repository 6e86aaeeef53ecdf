"""Nothing of a person, and no password, in a log or an exception, even at DEBUG (domain.md G49, wire.md 3)."""

from __future__ import annotations

import base64
import logging
import traceback
from collections.abc import Iterator

import pytest

from registry.hetu import Hetu
from tests.wire.server import Reply, Server
from tests.wire.soap import (
    BAN_OFF,
    NAMES,
    ONE_LINE,
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
from tests.wire.test_vtjkysely import CLIENT, ONE, SERVICE, TWO
from vtjsync.wire.errors import TEXTS, VtjError
from vtjsync.wire.vtjkysely import Vtjkysely

PASSWORD = "sala-sana-nro-1"
SECRETS = (ONE, ONE[:6], TWO, "Äijälä", "Aino Salla", "Salakuja", "Hemligränd", PASSWORD, "koskinen7")
SECRETS_AS_BYTES = tuple(form for one in SECRETS for form in (repr(one.encode())[2:-1], ascii(one)[1:-1]))
BASE64 = base64.b64encode(PASSWORD.encode()).decode()

PERSON = message(number(ONE), NAMES, BAN_OFF, ONE_LINE)
TOLD = f"{ONE} Äijälä Salakuja {PASSWORD}"
RAW = TOLD.encode()
GOOD = response(PERSON, echo=f"<Salasana>{PASSWORD}</Salasana><Henkilotunnus>{ONE}</Henkilotunnus>")
HTML = {"Content-Type": "text/html"}

FAILURES = {
    "fault": fault("Server.ServerProxy.AccessDenied", TOLD),
    "fault that is a person": fault(TOLD, TOLD),
    "fault that is a code": fault(ONE, TOLD, 500),
    "fault with a message inside": says(envelope(f"<s:Fault><faultcode>{PERSON}</faultcode></s:Fault>")),
    "credentials": says(response(PERSON + fault_code("0004"))),
    "settings": says(response(PERSON + fault_code("-1904"))),
    "may pass": says(response(PERSON + fault_code("-1800"))),
    "unknown code": says(response(message(number(ONE), NAMES, code="0099"))),
    "code that is a person": says(response(message(number(ONE), NAMES, code=ONE) + fault_code(TOLD))),
    "of somebody else": says(response(message(number(TWO), NAMES, ONE_LINE, search=search(TWO)))),
    "no code": says(response(message(number(ONE), NAMES, code=None))),
    "html 502": Reply(502, b"<html>" + RAW, HTML),
    "html 200": Reply(200, b"<html>" + RAW, HTML),
    "json 400": Reply(400, b'{"type": "' + RAW + b'"}', {"Content-Type": "application/json"}),
    "401": Reply(401, RAW, HTML),
    "not xml": says(RAW),
    "cut": says(GOOD[: len(GOOD) - 40]),
    "another root": says(f"<{NAMES.split('>', 1)[0][1:]}>{TOLD}</NykyinenSukunimi>".encode()),
    "another body": says(envelope(PERSON)),
    "bad encoding": says(GOOD.replace("Äijälä".encode(), b"\xff" + RAW)),
    "dtd": says(f"<!DOCTYPE x [<!ENTITY a '{TOLD}'>]>".encode() + GOOD.split(b"?>", 1)[1]),
    "dtd elsewhere": says(f"<!DOCTYPE x SYSTEM 'http://127.0.0.1:1/{ONE}'>".encode() + GOOD.split(b"?>", 1)[1]),
    "too large": says(GOOD + RAW * 60_000),
    "multipart": Reply(200, RAW, {"Content-Type": f'multipart/related; boundary="{ONE}"'}),
    "redirect": Reply(302, RAW, {"Location": f"http://127.0.0.1:1/{ONE}"}),
    "bad head": Reply(raw=b"HTTP/1.1 200 OK\r\n" + RAW + b"\r\nContent-Type: text/xml\r\n\r\n" + GOOD[:200]),
    "bad status": Reply(raw=RAW + b"\r\n\r\n"),
    "short": Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 99999\r\n\r\n" + GOOD),
    "bad ids": Reply(
        raw=b"HTTP/1.1 400 " + RAW + b"\r\nX-Road-Request-Id: " + RAW + b"\r\nX-Road-Error: " + RAW + b"\r\n\r\n"
    ),
    "reset": Reply(reset=True),
    "slow": Reply(200, GOOD, XML, before=0.6),
}
ANSWERS = {
    "found": says(GOOD),
    "found, with ids that are none": Reply(200, GOOD, {**XML, "X-Road-Request-Id": ONE, "Date": ONE}),
    "withheld": says(response(PERSON.replace('koodi="0000"', 'koodi="0019"'))),
}


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """The root logger at DEBUG, and every logger of ours and of SOAP's too, whatever it was pinned to."""
    pinned = {name: logging.getLogger(name).level for name in logging.root.manager.loggerDict}
    ours = [name for name in pinned if name.split(".")[0] in ("vtjsync", "registry", "zeep")]
    for name in ours:
        logging.getLogger(name).setLevel(logging.DEBUG)
    caplog.set_level(logging.DEBUG)
    yield caplog
    for name in ours:
        logging.getLogger(name).setLevel(pinned[name])


def asked(server: Server) -> Vtjkysely:
    return Vtjkysely(
        server=server.url,
        client=CLIENT,
        service=SERVICE,
        product="PERUS",
        username="koskinen7",
        password=PASSWORD,
        sleep=lambda _: None,
        read_timeout=0.3,
    )


def assert_silent(text: str) -> None:
    for secret in (*SECRETS, *SECRETS_AS_BYTES, BASE64):
        assert secret not in text


def everything_of(error: BaseException) -> str:
    """All that can be read of an exception, of its arguments and attributes, and of those it came from."""
    texts = [str(error), repr(error), repr(error.args), repr(vars(error)), *traceback.format_exception(error)]
    for other in (error.__cause__, error.__context__):
        if other is not None:
            texts.append(everything_of(other))
    return "\n".join(texts)


@pytest.mark.parametrize("name", FAILURES)
def test_g49_no_failure_tells_of_anybody(
    server: Server, everything_logged: pytest.LogCaptureFixture, name: str
) -> None:
    server.replies = [FAILURES[name]]
    kysely = asked(server)
    with pytest.raises(VtjError) as raised:
        kysely.look_up(ONE, asked_by="aino", issue="APPLICATION")
    kysely.close()
    error = raised.value
    assert str(error) in TEXTS.values()
    assert error.__cause__ is None
    assert error.__context__ is None
    assert_silent(everything_of(error))
    assert_silent(repr(kysely))
    assert ONE.encode() in server.asked[0].body
    assert PASSWORD.encode() in server.asked[0].body
    assert "X-Road-Id" in everything_logged.text
    assert_silent(everything_logged.text)
    assert_silent("\n".join(repr((record.msg, record.args)) for record in everything_logged.records))


@pytest.mark.parametrize("name", ANSWERS)
def test_g49_no_answer_is_logged(server: Server, everything_logged: pytest.LogCaptureFixture, name: str) -> None:
    server.replies = [ANSWERS[name]]
    kysely = asked(server)
    told = kysely.look_up(ONE, asked_by="aino", issue="APPLICATION")
    kysely.close()
    assert_silent(repr(told) + repr(told.address) + str(told))
    assert_silent(everything_logged.text)
    assert "HenkilonTunnusKysely status 200" in everything_logged.text


def test_the_loggers_of_soap_are_silent_at_debug(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("zeep", "zeep.transports", "zeep.xsd.types.simple", "zeep.wsdl.bindings.soap"):
        logging.getLogger(name).error(Hetu(TOLD))
    assert caplog.records == []
