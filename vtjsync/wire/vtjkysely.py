"""VTJkysely: a single look-up of one person over X-Road's SOAP (wire.md 3, docs/adr/0009).

For a caseworker who is about to add a client. Never a source of the register's data: DVV forbids that.

zeep builds the question and reads faults, and that is all: it would log whole messages while it sends them. Its errors
quote answers, so none of them leaves this module.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from zeep import Client, Settings
from zeep.exceptions import Fault
from zeep.wsdl.utils import etree_to_string

from registry.hetu import Hetu
from vtjsync.wire import faults
from vtjsync.wire.errors import Reason, Unreadable, VtjError
from vtjsync.wire.line import Answer, Limit, Line, Question, ids
from vtjsync.wire.vtjkysely_answer import LookUp, Outcome, read

logging.getLogger("zeep").setLevel(logging.CRITICAL)

WSDL: Final = Path(__file__).with_name("vtjkysely.wsdl")
BINDING: Final = "{http://xml.vrk.fi/ws/vtj/vtjkysely/1}VTJkysely"
OPERATION: Final = "HenkilonTunnusKysely"
PROTOCOL_VERSION: Final = "4.0"
HEADERS: Final = {"Content-Type": "text/xml; charset=utf-8", "Accept": "text/xml", "SOAPAction": '""'}
XML_TYPES: Final = frozenset({"text/xml", "application/xml"})
ID_PARTS: Final = ("xRoadInstance", "memberClass", "memberCode", "subsystemCode", "serviceCode", "serviceVersion")
# One person's answer is some ten kilobytes.
MAX_BODY: Final = 1024 * 1024
ATTEMPTS: Final = 3


class Vtjkysely:
    """Asks about one person at a time. Close it after use.

    ``client`` is ``instance/class/member/subsystem``, ``service`` goes on with its code and version. ``product`` is the
    one that the permit names (SoSoNimi), ``invoicing`` what DVV wants on its invoice, mostly nothing. ``line`` are the
    arguments of :class:`~vtjsync.wire.line.Line`. Raises ValueError for arguments that cannot work.
    """

    def __init__(
        self,
        *,
        client: str,
        service: str,
        product: str,
        username: str,
        password: str,
        invoicing: str = "",
        extra_headers: Mapping[str, str] | None = None,
        **line: Any,
    ) -> None:
        form = f"A service is instance/class/member/subsystem/{OPERATION}/version (VTJKYSELY_SERVICE)"
        service_ids = ids(service, len(ID_PARTS), form)
        if service_ids[4] != OPERATION:
            raise ValueError(form)
        client_ids = ids(client, 4, "A client is instance/class/member/subsystem (VTJKYSELY_CLIENT)")
        self._addressed = {
            "client": {"objectType": "SUBSYSTEM", **dict(zip(ID_PARTS, client_ids, strict=False))},
            "service": {"objectType": "SERVICE", **dict(zip(ID_PARTS, service_ids, strict=True))},
            "protocolVersion": PROTOCOL_VERSION,
        }
        self._permit = {
            "SoSoNimi": product,
            "Kayttajatunnus": username,
            "Salasana": password,
            "Laskutustiedot": invoicing,
        }
        self._line = Line(headers=extra_headers, **{"attempts": ATTEMPTS, "max_body": MAX_BODY, **line})
        safe = Settings(strict=True, forbid_dtd=True, forbid_entities=True, forbid_external=True, xml_huge_tree=False)
        self._soap = Client(str(WSDL), settings=safe)

    def look_up(self, code: Hetu, *, asked_by: str, issue: str) -> LookUp:
        """What VTJ tells of the person with the code; a passive code is asked about once more by the new one.

        ``asked_by`` is the user who asks (Loppukayttaja), ``issue`` why, in a word for X-Road's own log. Raises
        :class:`~vtjsync.wire.errors.VtjError`; of these, Denied means to ask no more until somebody has looked.
        """

        def attempt(limit: Limit) -> LookUp:
            told = self._once(code, asked_by, issue, limit)
            if told.outcome is not Outcome.PASSIVE or told.code is None or told.code == code:
                return told
            newer = self._once(told.code, asked_by, issue, limit)
            outcome = Outcome.PASSIVE if newer.outcome is Outcome.FOUND else newer.outcome
            return replace(newer, outcome=outcome, in_force=False)

        return self._line.ask(attempt)

    def close(self) -> None:
        """Closes the connections."""
        self._line.close()

    def _once(self, code: Hetu, asked_by: str, issue: str, limit: Limit) -> LookUp:
        x_road_id = str(uuid4())
        envelope = self._soap.create_message(
            self._soap.service,
            OPERATION,
            request={**self._permit, "Loppukayttaja": asked_by, "Henkilotunnus": code},
            _soapheaders={**self._addressed, "id": x_road_id, "userId": asked_by, "issue": issue},
        )
        question = Question("POST", "/", OPERATION, x_road_id, HEADERS, _is_answer, etree_to_string(envelope))
        answer = self._line.once(question, limit)
        told = self._opened(answer)
        outcome = told if isinstance(told, VtjError) else read(told, code)
        # Raised only here, so that the error has no context: zeep's quote what was sent and received.
        if isinstance(outcome, VtjError):
            raise answer.error(outcome)
        return outcome

    def _opened(self, answer: Answer) -> Sequence[Any] | VtjError:
        """The elements in the answer's body, or the error that it tells."""
        if not _is_xml(answer.content_type) or not answer.body.strip():
            return answer.unreadable()
        binding: Any = self._soap.wsdl.bindings[BINDING]
        try:
            return binding.process_reply(self._soap, binding.get(OPERATION), _Reply(answer.body)) or ()
        except Fault as fault:
            return faults.of_fault(fault.code or "")
        except Exception:
            # Whatever a library makes of a strange answer.
            return Unreadable(Reason.NOT_AS_AGREED)


@dataclass(slots=True)
class _Reply:
    """An answer as zeep wants it. Its status tells no more: a fault is told by the body."""

    content: bytes
    status_code: int = 200
    encoding: str = "utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


def _is_answer(status: int, headers: Mapping[str, str]) -> bool:
    """A security server's fault comes with status 200, one of the provider's own with 500; a load balancer's page is
    told by its status."""
    return 200 <= status < 300 or (status == 500 and _is_xml(headers.get("Content-Type", "")))


def _is_xml(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() in XML_TYPES
