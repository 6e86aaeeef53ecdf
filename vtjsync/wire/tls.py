"""TLS with the organisation's own security server: mutual, and trusting exactly one certificate (wire.md 1).

The server's name often does not match its certificate, so the certificate is pinned and the name is not looked at.
Verification is never off: the pinned certificate is the only trust anchor, and its fingerprint is compared as well, so
that another certificate signed by it, or by the same authority, is refused.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from vtjsync.wire.adapter import BoundedAdapter


class PinnedAdapter(BoundedAdapter):
    """Sends over TLS 1.2 or newer to the server that shows the certificate in the PEM file ``pinned``, and to no other.

    ``cert`` and ``key`` are PEM files of our own certificate; both empty: we show none. Raises ValueError when a file
    is missing or does not hold what it should.
    """

    def __init__(self, pinned: str, cert: str = "", key: str = "") -> None:
        certificate, *others = _certificates(pinned)
        if others:
            raise ValueError(f"{pinned} must hold the server's one certificate, not a chain")
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._context.check_hostname = False
        # The pinned certificate may have been signed by another, which is then not needed.
        self._context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        self._context.load_verify_locations(cadata=certificate.public_bytes(Encoding.DER))
        if cert or key:
            _certificates(cert)
            try:
                # An empty password: a key that needs one is an error, not a question on the terminal.
                self._context.load_cert_chain(cert, key or None, password="")
            except (OSError, ssl.SSLError):
                raise ValueError(f"{key or cert} does not hold the private key of {cert}") from None
        self._fingerprint = certificate.fingerprint(SHA256()).hex()
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Makes the pool of connections with the pin."""
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context, assert_fingerprint=self._fingerprint)

    def cert_verify(self, conn: Any, url: str, verify: object, cert: object) -> None:
        """Adds nothing to the context: requests would let every public authority in beside the pin."""


def certificate_ends(paths: Iterable[str]) -> dict[str, datetime]:
    """For each PEM file the moment (aware UTC) at which the first of its certificates to end does so.

    Raises ValueError when a file cannot be read or holds no certificate.
    """
    return {path: min(certificate.not_valid_after_utc for certificate in _certificates(path)) for path in paths}


def _certificates(path: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(Path(path).read_bytes())
    except (OSError, ValueError):
        raise ValueError(f"{path or 'The file'} cannot be read, or it holds no certificate in PEM form") from None
