"""The keys of the audit log: the one in use, and former ones, which still verify and find (docs/operations.md)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Key:
    """A key; ``id`` names it without telling it."""

    id: str
    secret: bytes

    def digest(self, message: str) -> bytes:
        """The keyed digest of the message."""
        return hmac.digest(self.secret, message.encode(), hashlib.sha256)

    def __repr__(self) -> str:
        return f"Key({self.id})"


def current() -> Key:
    """The key that new hashes and seals are made with."""
    return _key(settings.AUDIT_KEY)


def every() -> list[Key]:
    """All keys, the one in use first."""
    return [_key(one) for one in (settings.AUDIT_KEY, *settings.AUDIT_KEY_FORMER)]


def _key(secret: str) -> Key:
    return Key(hmac.digest(secret.encode(), b"the name of the key", hashlib.sha256)[:4].hex(), secret.encode())
