"""How often somebody may try to sign in, search or look a code up (docs/adr/0015).

An attempt is counted before it is made, so that many at once are no way around it. Nothing is kept in clear: a name may
have been typed as a password, or a password or an identity code as a name.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.crypto import salted_hmac

from registry.models import User
from registry.policies import Access
from registry.services import audit
from registry.services.audit import Action
from registry.services.sign_in import BASIS
from registry.views.access import origin
from vtjsync import tallies
from vtjsync.models import Attempts

SIGN_IN: Final = "sign-in"
# Where somebody who is signed in gives the password once more.
AGAIN: Final = frozenset({"sign-in-again", "password"})
# To the organisation's sign-in service and back.
ELSEWHERE: Final = frozenset({"oidc-begin", "oidc-callback"})
SIGN_IN_SECONDS: Final = 15 * 60
# Of one name from everywhere, and of all names from one address: many people can share an address.
WIDER: Final = 10
SEARCH_SECONDS: Final = 60
# The pages that answer a question about somebody, by POST.
SEARCHES: Final = frozenset(
    {
        "client-search",
        "client-look-up",
        "client-add",
        "audit-log-inquiry",
        "audit-log-download",
        "log-extracts",
        "emergency",
    }
)
KEPT: Final = timedelta(days=1)

# A window begins with the first attempt in it.
_COUNT: Final = """
    INSERT INTO vtjsync_attempts AS a (key, since, count) VALUES (%(key)s, clock_timestamp(), 1)
    ON CONFLICT (key) DO UPDATE SET
        count = CASE WHEN a.since > clock_timestamp() - make_interval(secs => %(seconds)s) THEN a.count ELSE 0 END + 1,
        since = CASE WHEN a.since > clock_timestamp() - make_interval(secs => %(seconds)s)
                THEN a.since ELSE excluded.since END
    RETURNING count, extract(epoch FROM since - clock_timestamp())::float + %(seconds)s
"""
_GIVE_BACK: Final = "UPDATE vtjsync_attempts SET count = greatest(count - %s, 0) WHERE key = ANY(%s)"


@dataclass(frozen=True, slots=True)
class Held:
    """Too often: ``seconds`` until it may be tried again; ``first``: the first time in this window."""

    seconds: int
    first: bool


def count(key: str, most: int, seconds: int) -> Held | None:
    """Counts an attempt of ``key``; what it is when there were more than ``most`` in so many seconds."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"key": key, "seconds": seconds})
        number, left = cursor.fetchone()
    return Held(max(math.ceil(left), 1), number == most + 1) if number > most else None


def unlock(name: str | None = None) -> int:
    """Lets whoever types this name, or everybody, try to sign in again. Returns how many counts were forgotten."""
    prefix = f"{SIGN_IN}:" if name is None else f"{SIGN_IN}:{_hashed(_plain(name))}:"
    return Attempts.objects.filter(key__startswith=prefix).delete()[0]


def forget() -> None:
    """Forgets counts of windows that have long passed."""
    Attempts.objects.filter(since__lt=Now() - KEPT).delete()


class Limits:
    """Answers 429 in words to who does it too often, before the page does anything."""

    def __init__(self, respond: Callable[[HttpRequest], HttpResponse]) -> None:
        self._respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Gives an attempt that was counted back when it was right."""
        response = self._respond(request)
        keys: dict[str, int] = getattr(request, "_sign_in_attempts", {})
        if keys and getattr(request, "proved", False):
            _forgive(keys)
        return response

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponse | None:
        """Before the view: counts, and answers in its place."""
        page = request.resolver_match.url_name if request.resolver_match else None
        if page in ELSEWHERE and settings.OIDC_OP_ISSUER:
            return _held_up(request, _elsewhere_keys(origin(request)))
        if request.method != "POST":
            return None
        if not request.user.is_authenticated:
            # Who is signed in already cannot try: the view leads on without looking at what was typed.
            name = request.POST.get("username", "")
            return _held_up(request, _sign_in_keys(name, origin(request))) if page == SIGN_IN else None
        if page in AGAIN:
            return _held_up(request, _sign_in_keys(request.user.get_username(), origin(request)))
        return _search(request, request.user) if page in SEARCHES else None


def _held_up(request: HttpRequest, keys: dict[str, int]) -> HttpResponse | None:
    request._sign_in_attempts = keys  # type: ignore[attr-defined]
    # The narrowest first: who is held up there costs nobody else an attempt.
    held = next((one for key, most in keys.items() if (one := count(key, most, SIGN_IN_SECONDS))), None)
    if held is None:
        return None
    request._sign_in_attempts = {}  # type: ignore[attr-defined]
    user = request.user if request.user.is_authenticated else None
    _note(Access(user, BASIS, origin(request)), held, tallies.HELD_SIGN_INS)
    return _page(request, held, sign_in=True)


def _search(request: HttpRequest, user: User) -> HttpResponse | None:
    held = count(f"search:{user.pk}", settings.SEARCHES_A_MINUTE, SEARCH_SECONDS)
    if held is None:
        return None
    _note(Access(user, "client search", origin(request)), held, tallies.HELD_SEARCHES)
    return _page(request, held, sign_in=False)


def _note(access: Access, held: Held, tally: str) -> None:
    """One event in a window (domain.md G46), and every time a count."""
    if held.first:
        audit.record(access, Action.HOLD_UP, outcome="refused")
    tallies.add(tally)


def _page(request: HttpRequest, held: Held, *, sign_in: bool) -> HttpResponse:
    context = {"sign_in": sign_in, "minutes": math.ceil(held.seconds / 60)}
    response = render(request, "429.html", context, status=429)
    response["Retry-After"] = str(held.seconds)
    return response


def _sign_in_keys(name: str, address: str) -> dict[str, int]:
    """What an attempt counts for, and how many of each there may be."""
    who, where, most = _hashed(_plain(name)), _hashed(address), settings.SIGN_IN_ATTEMPTS
    return {
        f"{SIGN_IN}:{who}:{where}": most,
        f"{SIGN_IN}:{who}:": most * WIDER,
        f"{SIGN_IN}::{where}": most * WIDER,
    }


def _elsewhere_keys(address: str) -> dict[str, int]:
    """The way there and the way back count one each: it is not known whose they are."""
    return {f"{SIGN_IN}::{_hashed(address)}": settings.SIGN_IN_ATTEMPTS * WIDER}


def _forgive(keys: dict[str, int]) -> None:
    own = [key for key, most in keys.items() if most == settings.SIGN_IN_ATTEMPTS]
    Attempts.objects.filter(pk__in=own).delete()
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_BACK, [1 if own else 2, list(keys)])


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().casefold()


def _hashed(text: str) -> str:
    return salted_hmac("vtjsync.limits", text, algorithm="sha256").hexdigest()[:32]
