"""What can go wrong between us and VTJ, sorted by what has to be done about it (domain.md B16).

The text of an error is written for the operator. It is chosen from a fixed table, so that it can hold no personal data,
and so that a page can show its own words for the :class:`Reason`.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """What went wrong; each has its text in :data:`TEXTS`."""

    NETWORK = "network"
    DEADLINE = "deadline"
    QUOTA = "quota"
    OUT_OF_ORDER = "out_of_order"
    ADDRESSING = "addressing"
    CREDENTIALS = "credentials"
    PERMIT = "permit"
    OWN_CERTIFICATE = "own_certificate"
    SERVER_CERTIFICATE = "server_certificate"
    REFUSED = "refused"
    EMPTY = "empty"
    HTML = "html"
    NOT_AS_AGREED = "not_as_agreed"
    TOO_LARGE = "too_large"
    REDIRECT = "redirect"
    LOOK_UP_CREDENTIALS = "look_up_credentials"
    LOOK_UP_SETTINGS = "look_up_settings"


def gettext_noop(text: str) -> str:
    """Marks a text for the translators; whoever shows it looks its translation up."""
    return text


TEXTS: Final = {
    Reason.NETWORK: gettext_noop(
        "The security server could not be reached, or it broke the connection. Check VTJ_SERVER and the "
        "network. The next run goes on by itself."
    ),
    Reason.DEADLINE: gettext_noop(
        "The answer did not come in the time allowed (VTJ_READ_TIMEOUT and VTJ_DEADLINE; VTJKYSELY_DEADLINE for a "
        "look-up). The next run goes on by itself."
    ),
    Reason.QUOTA: gettext_noop(
        "VTJ's quota of requests is used up. The next run goes on by itself; if this repeats, set a lower "
        "VTJ_RATE_LIMIT."
    ),
    Reason.OUT_OF_ORDER: gettext_noop(
        "VTJ, or X-Road on the way to it, is out of order. The next run goes on by itself; if this "
        "repeats, give the X-Road id to the security server's keeper or to DVV."
    ),
    Reason.ADDRESSING: gettext_noop(
        "X-Road does not accept the request as it is addressed. Check VTJ_CLIENT and VTJ_SERVICE "
        "(VTJKYSELY_CLIENT and VTJKYSELY_SERVICE for look-ups), and that the client is registered on the security "
        "server."
    ),
    Reason.CREDENTIALS: gettext_noop(
        "VTJ does not accept the user name and password. Check VTJ_USERNAME, VTJ_PASSWORD and "
        "VTJ_AUTH_HEADER; too many attempts can lock the account."
    ),
    Reason.PERMIT: gettext_noop(
        "Access is denied: the permit for this client and service is missing or has ended. Ask DVV to open "
        "the service to the subsystem named in VTJ_CLIENT (VTJKYSELY_CLIENT for look-ups)."
    ),
    Reason.OWN_CERTIFICATE: gettext_noop(
        "The security server does not accept this system's certificate. Check VTJ_CERT and "
        "VTJ_KEY, and that the certificate is registered on the security server."
    ),
    Reason.SERVER_CERTIFICATE: gettext_noop(
        "The server's certificate is not the one in VTJ_SERVER_CERT, or it has ended. If the "
        "keeper of the security server confirms that it was renewed, replace the file."
    ),
    Reason.REFUSED: gettext_noop(
        "VTJ refused the request: it does not accept a code of the list, or the key to go on from."
    ),
    Reason.EMPTY: gettext_noop(
        "VTJ's answer was empty. The next run asks again; if this repeats, give the X-Road id to DVV."
    ),
    Reason.HTML: gettext_noop(
        "A web page came instead of VTJ's answer. Check VTJ_SERVER and what stands in front of it."
    ),
    Reason.NOT_AS_AGREED: gettext_noop(
        "VTJ's answer was cut or not in the agreed form. The next run asks again; if this repeats, "
        "give the X-Road id to DVV."
    ),
    Reason.TOO_LARGE: gettext_noop(
        "VTJ's answer was larger than this system accepts. Set a smaller VTJ_COHORT_SIZE or VTJ_BASIC_DATA_BATCH."
    ),
    Reason.REDIRECT: gettext_noop("The server pointed to another address, which is never followed. Check VTJ_SERVER."),
    Reason.LOOK_UP_CREDENTIALS: gettext_noop(
        "VTJkysely does not accept the user name and password. Check VTJKYSELY_USERNAME and VTJKYSELY_PASSWORD; too "
        "many attempts can lock the account."
    ),
    Reason.LOOK_UP_SETTINGS: gettext_noop(
        "VTJkysely does not accept the question as it is set up. Check VTJKYSELY_PRODUCT and VTJKYSELY_INVOICING "
        "against DVV's permit."
    ),
}

_TYPE: Final = re.compile(r"(?!.*[0-9]{6})[A-Za-z][A-Za-z0-9_.:-]{0,99}")


def safe_type(text: object) -> str:
    """The error type if it looks like one, else empty: it comes from outside, and is stored and shown.

    One word, without six digits in a row: no identity code gets through.
    """
    return text if isinstance(text, str) and _TYPE.fullmatch(text) else ""


class VtjError(Exception):
    """A request that brought no usable answer. ``str()`` is a text for the operator, without personal data.

    ``status`` is the HTTP status of the last answer (None when there was none), ``error_type`` what X-Road or VTJ calls
    the error, ``x_road_id`` and ``request_id`` the last attempt's ids on X-Road; empty where there is none.
    """

    def __init__(self, reason: Reason, *, status: int | None = None, error_type: str = "") -> None:
        super().__init__(TEXTS[reason])
        self.reason = reason
        self.status = status
        self.error_type = safe_type(error_type)
        self.x_road_id = ""
        self.request_id = ""


class Unavailable(VtjError):
    """No answer now: attempts or time used up, or a fault that another attempt would not mend. The run is INCOMPLETE.

    ``again`` says whether another attempt could have helped, ``retry_after`` how many seconds the other side asked to
    wait.
    """

    def __init__(
        self,
        reason: Reason,
        *,
        status: int | None = None,
        error_type: str = "",
        again: bool = True,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(reason, status=status, error_type=error_type)
        self.again = again
        self.retry_after = retry_after


class Denied(VtjError):
    """We are not let in: credentials, permit or certificate. Stops all runs and raises an alarm."""


class Refused(VtjError):
    """VTJ itself refused this request with a 4xx: halve the list down to the code that it refuses.

    ``might_be_cursor``: the refusal names the key to go on from, or names nothing, so the key may be what is refused
    (domain.md B17). Says nothing when the request carried no key.
    """

    def __init__(self, *, status: int, error_type: str = "", might_be_cursor: bool = False) -> None:
        super().__init__(Reason.REFUSED, status=status, error_type=error_type)
        self.might_be_cursor = might_be_cursor


class Unreadable(VtjError):
    """An answer came and cannot be used: empty, cut, a web page, or its envelope is not as agreed."""
