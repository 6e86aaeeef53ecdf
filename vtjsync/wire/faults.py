"""From what a request met to one of our errors (wire.md 1, domain.md B16)."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Final

import msgspec
import requests
from urllib3.exceptions import ReadTimeoutError, SSLError

from vtjsync.wire.errors import Denied, Reason, Refused, Unavailable, Unreadable, VtjError, safe_type

DENIALS: Final = {"accessdenied": Reason.PERMIT, "sslauthenticationfailed": Reason.OWN_CERTIFICATE}
# What X-Road will say again however often it is asked, in lower case and without "_". What follows "servicefailed" is
# about the provider's answer.
LASTING: Final = re.compile(r"client\..*|(?!.*servicefailed).*\.(invalid|unknown).*")
# What the other side's TLS says of our certificate, or of not being shown one.
REJECTIONS: Final = re.compile(
    "ALERT_(BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_.*|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE)"
)
# The provider and the load balancers before it say these of themselves, not of the request.
TRANSIENT_4XX: Final = frozenset({408, 425, 429})


class _ErrorBody(msgspec.Struct):
    type: str = ""


def of_answer(status: int, headers: Mapping[str, str], body: bytes) -> VtjError:
    """The error that an answer other than a plain 2xx tells. ``headers`` must look names up in any case."""
    error_type = safe_type(headers.get("X-Road-Error", ""))
    if "X-Road-Error" in headers:
        return _of_x_road(status, error_type or _type(body))
    error_type = _type(body)
    if status in (401, 403):
        return Denied(Reason.CREDENTIALS if status == 401 else Reason.PERMIT, status=status, error_type=error_type)
    if status in TRANSIENT_4XX or status >= 500:
        reason = Reason.QUOTA if status == 429 else Reason.OUT_OF_ORDER
        return Unavailable(reason, status=status, error_type=error_type, retry_after=_retry_after(headers))
    if status < 400:
        return Unreadable(Reason.REDIRECT, status=status)
    if body.lstrip().startswith(b"<") and status != 413:
        return Unreadable(Reason.HTML, status=status)
    return Refused(status=status, error_type=error_type, might_be_cursor=_might_be_cursor(status, body))


def of_fault(code: str) -> VtjError:
    """The error that a SOAP fault tells by its code. X-Road's own comes with status 200."""
    return _of_x_road(200, safe_type(code))


def of_connection(error: Exception) -> VtjError:
    """The error that an exception of the HTTP library means."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Denied(Reason.SERVER_CERTIFICATE)
        if isinstance(cause, SSLError) and "Fingerprints did not match" in str(cause):
            return Denied(Reason.SERVER_CERTIFICATE)
        if isinstance(cause, ssl.SSLError) and REJECTIONS.search(cause.reason or ""):
            return Denied(Reason.OWN_CERTIFICATE)
        if isinstance(cause, (TimeoutError, ReadTimeoutError, requests.Timeout)):
            return Unavailable(Reason.DEADLINE)
    return Unavailable(Reason.NETWORK)


def _of_x_road(status: int, error_type: str) -> VtjError:
    """X-Road's own error. Its codes changed their spelling in 7.8.0: case and "_" mean nothing."""
    code = error_type.lower().replace("_", "")
    denial = DENIALS.get(code.rpartition(".")[2])
    if denial is not None:
        return Denied(denial, status=status, error_type=error_type)
    if LASTING.fullmatch(code):
        return Unavailable(Reason.ADDRESSING, status=status, error_type=error_type, again=False)
    return Unavailable(Reason.OUT_OF_ORDER, status=status, error_type=error_type)


def _type(body: bytes) -> str:
    try:
        return safe_type(msgspec.json.decode(body, type=_ErrorBody).type)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""


def _might_be_cursor(status: int, body: bytes) -> bool:
    """Whether the words of the refusal leave room for the key: they name it, or they name no codes."""
    words = body.lower()
    return status != 413 and (b"kirjausavain" in words or not (b"hetu" in words or b"henkilotunnus" in words))


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait: told as such, or as the date to wait for, which is read by the answer's own clock."""
    told = headers.get("Retry-After", "").strip()
    if re.fullmatch("[0-9]{1,9}", told):
        return float(told)
    try:
        until, now = parsedate_to_datetime(told), parsedate_to_datetime(headers.get("Date", ""))
        return max((until - now).total_seconds(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and all that it wraps, in the ways of requests, urllib3 and Python."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop()
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            waiting += [*cause.args, cause.__cause__, cause.__context__, getattr(cause, "reason", None)]
