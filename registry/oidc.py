"""Signing in with OpenID Connect: what the library leaves open is closed here (docs/adr/0017).

Who somebody is and may do is told by the ID token alone, whose signature, issuer, audience, times and nonce are
verified. Nothing of a token or of its claims stands in an error.
"""

from __future__ import annotations

import re
import time
from typing import Any, Final

import jwt
import requests
from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from registry.models import User
from registry.services import sign_in
from registry.services.sign_in import Fault, NotIn
from registry.views.access import origin

# How far the provider's clock and ours may differ, in seconds.
LEEWAY: Final = 60
# As the standard has it: 255 characters of ASCII at most.
_SUBJECT: Final = re.compile(r"[ -~]{1,255}")
# What the library stumbles over in an answer that is not shaped like one.
MALFORMED: Final = (AttributeError, KeyError, TypeError, ValueError)
REQUIRED: Final = ("iss", "sub", "aud", "exp", "iat", "nonce")


class Backend(OIDCAuthenticationBackend):  # type: ignore[misc]
    """Raises :class:`NotIn` instead of letting nobody in without a word."""

    def authenticate(self, request: HttpRequest, *, nonce: str, code_verifier: str) -> User | None:
        """The user, with ``auth_time``: when the provider says that they signed in there, if it does. The names of the
        arguments keep passwords out: those are for another backend."""
        try:
            claims = super().authenticate(request, nonce=nonce, code_verifier=code_verifier)
            fault = Fault.ANSWER
        except (requests.ConnectionError, requests.Timeout):
            claims, fault = None, Fault.UNREACHABLE
        except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError):
            claims, fault = None, Fault.CLOCK
        except (requests.RequestException, jwt.PyJWTError, SuspiciousOperation, *MALFORMED):
            claims, fault = None, Fault.ANSWER
        if claims is None:
            # Outside of the except clauses, so that no error with a token in its text comes along.
            raise NotIn(fault)
        user = sign_in.arrive(claims, origin(request))
        user.auth_time = _time(claims.get("auth_time"))  # type: ignore[attr-defined]
        return user

    def get_or_create_user(self, _access_token: str, _id_token: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Only hands the claims of the token on: see above."""
        return payload

    def get_user(self, user_id: int) -> User | None:
        """As of local accounts: nobody whose account is not in use."""
        return ModelBackend.get_user(self, user_id)

    def _verify_jws(self, token: str, key: Any) -> dict[str, Any]:
        """What the token says. It is signed with RS256, whatever it says of itself, by the issuer, for us, just now."""
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[self.OIDC_RP_SIGN_ALGO],
            audience=self.OIDC_RP_CLIENT_ID,
            issuer=settings.OIDC_OP_ISSUER,
            leeway=LEEWAY,
            options={"require": list(REQUIRED)},
        )
        if claims.get("azp", self.OIDC_RP_CLIENT_ID) != self.OIDC_RP_CLIENT_ID or not _SUBJECT.fullmatch(claims["sub"]):
            raise SuspiciousOperation("another party, or no subject")
        return claims


def _time(told: object) -> float | None:
    """Seconds since 1970, and not in the future."""
    return min(told, time.time()) if isinstance(told, int) else None
