"""An OpenID Connect provider as a process of its own, spoken to over HTTP."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from django.test import Client
from django.urls import reverse


class Provider:
    """``address`` is the issuer too."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.settings: dict[str, Any] = {
            "AUTHENTICATION_BACKENDS": ["django.contrib.auth.backends.ModelBackend", "registry.oidc.Backend"],
            "OIDC_OP_ISSUER": address,
            "OIDC_OP_AUTHORIZATION_ENDPOINT": f"{address}/oauth2/authorize",
            "OIDC_OP_TOKEN_ENDPOINT": f"{address}/oauth2/token",
            "OIDC_OP_JWKS_ENDPOINT": f"{address}/jwks",
            # This provider's tokens do not name its only key.
            "OIDC_VERIFY_KID": False,
            "OIDC_RP_CLIENT_ID": "vtjsync",
            "OIDC_RP_CLIENT_SECRET": "only-for-tests",
            "OIDC_ROLES": ["vtj-tekijat=caseworker", "vtj-kasittelijat=handler", "vtj-vetajat=supervisor"],
            "OIDC_UNITS": ["vtj-tekijat=A", "vtj-kasittelijat=B"],
        }

    def knows(self, sub: str, **claims: object) -> None:
        """Somebody has an account there, with these claims from now on."""
        requests.put(f"{self.address}/users/{sub}", json=claims, timeout=10).raise_for_status()

    def way_back(self, address: str, sub: str) -> dict[str, str]:
        """What the provider sends the browser back with, when somebody has signed in at the address there."""
        answer = requests.post(address, data={"sub": sub}, allow_redirects=False, timeout=10)
        assert answer.status_code == 302, answer.text
        return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}

    def begin(self, client: Client, sub: str, page: str = "") -> dict[str, str]:
        """From our sign-in page to the provider, up to the way back."""
        begun = client.get(reverse("oidc-begin"), {"next": page} if page else {})
        assert begun.status_code == 302
        assert begun["Location"].startswith(self.settings["OIDC_OP_AUTHORIZATION_ENDPOINT"])
        return self.way_back(begun["Location"], sub)

    def sign_in(self, client: Client, sub: str, page: str = "") -> Any:
        """All the way. Returns our answer."""
        return client.get(reverse("oidc-callback"), self.begin(client, sub, page))


@contextmanager
def running() -> Iterator[Provider]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield Provider(_answers(f"http://127.0.0.1:{port}"))
    finally:
        process.terminate()
        process.wait()


def _answers(address: str) -> str:
    for _ in range(300):
        try:
            requests.get(f"{address}/jwks", timeout=5).raise_for_status()
        except requests.RequestException:
            time.sleep(0.1)
        else:
            return address
    raise AssertionError("the provider does not start")
