"""Mutual TLS with exactly one server (wire.md 1)."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from tests.wire.certificates import NOW, Issued, issue, serving
from tests.wire.conftest import MakeClient
from tests.wire.server import Reply, Server
from vtjsync.wire.errors import Denied, Reason, VtjError
from vtjsync.wire.tls import certificate_ends


@dataclass(frozen=True)
class World:
    """An authority; a security server, another one and ourselves, all signed by it; and strangers."""

    authority: Issued
    server: Issued
    sibling: Issued
    ended: Issued
    own_sign: Issued
    us: Issued
    stranger: Issued


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("certificates")
    authority = issue(folder, "authority", authority=True)
    return World(
        authority,
        server=issue(folder, "security-server", authority),
        sibling=issue(folder, "sibling", authority),
        ended=issue(folder, "ended", authority, days=-1),
        own_sign=issue(folder, "own-sign"),
        us=issue(folder, "us", authority),
        stranger=issue(folder, "stranger"),
    )


def denied(server: Server, make_client: MakeClient, pinned: Issued, own: Issued | None) -> Denied:
    ours = {"cert": own.cert, "key": own.key} if own else {}
    with pytest.raises(Denied) as raised:
        make_client(server, server_cert=pinned.cert, **ours).get("p")
    assert server.asked == []
    return raised.value


@pytest.mark.parametrize("name", ["server", "own_sign"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_pinned_certificate_is_trusted_whatever_its_name_and_issuer(
    world: World, make_client: MakeClient, name: str, version: ssl.TLSVersion
) -> None:
    shown: Issued = getattr(world, name)
    with Server(serving(shown, world.authority, version=version)).running() as server:
        client = make_client(server, server_cert=shown.cert, cert=world.us.cert, key=world.us.key)
        assert [client.get("p").status for _ in range(2)] == [200, 200]
        assert server.connections == 1


@pytest.mark.parametrize(
    ("shown", "pinned"),
    [
        ("stranger", "server"),
        ("server", "stranger"),
        ("sibling", "server"),
        ("server", "authority"),
        ("ended", "ended"),
    ],
)
def test_any_other_certificate_is_refused(world: World, make_client: MakeClient, shown: str, pinned: str) -> None:
    with Server(serving(getattr(world, shown), world.authority)).running() as server:
        error = denied(server, make_client, getattr(world, pinned), world.us)
        assert error.reason is Reason.SERVER_CERTIFICATE
        assert server.connections == 1


def test_a_server_that_signs_with_the_pinned_certificate_is_not_the_pinned_one(
    world: World, make_client: MakeClient, tmp_path: Path
) -> None:
    with Server(serving(issue(tmp_path, "child", world.authority), world.authority)).running() as server:
        assert denied(server, make_client, world.authority, world.us).reason is Reason.SERVER_CERTIFICATE


@pytest.mark.parametrize("own", ["stranger", None])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_without_the_right_certificate_of_ours_we_are_denied(
    world: World, make_client: MakeClient, own: str | None, version: ssl.TLSVersion
) -> None:
    with Server(serving(world.server, world.authority, version=version)).running() as server:
        error = denied(server, make_client, world.server, getattr(world, own) if own else None)
        assert error.reason is Reason.OWN_CERTIFICATE


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1")
def test_tls_1_1_is_not_spoken(world: World, make_client: MakeClient) -> None:
    context = serving(world.server, world.authority)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with Server(context).running() as server:
        client = make_client(server, server_cert=world.server.cert, cert=world.us.cert, key=world.us.key, attempts=1)
        with pytest.raises(VtjError):
            client.get("p")
        assert server.asked == []


def test_a_head_that_drips_is_bounded(world: World, make_client: MakeClient) -> None:
    with Server(serving(world.server, world.authority)).running() as server:
        server.replies = [Reply(raw=b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1000, drip=0.05), Reply(body=b"[1]")]
        client = make_client(
            server, server_cert=world.server.cert, cert=world.us.cert, key=world.us.key, read_timeout=0.2
        )
        assert client.get("p").body == b"[1]"
        assert client.retries == 1


def test_files_that_cannot_work_are_refused_at_once(world: World, make_client: MakeClient, tmp_path: Path) -> None:
    text = tmp_path / "text.pem"
    text.write_text("not a certificate")
    empty = tmp_path / "empty.pem"
    empty.write_bytes(b"")
    locked = tmp_path / "locked.key"
    locked.write_bytes(world.us.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")))
    good = {"server_cert": world.server.cert, "cert": world.us.cert, "key": world.us.key}
    for wrong in (
        {"server_cert": str(text)},
        {"server_cert": str(empty)},
        {"server_cert": str(tmp_path)},
        {"cert": ""},
        {"cert": str(text)},
        {"key": ""},
        {"key": world.stranger.key},
        {"key": str(locked)},
        {"key": str(tmp_path / "nowhere")},
    ):
        with pytest.raises(ValueError, match=r"certificate|private key"):
            make_client(Server(), server="https://127.0.0.1:1", **{**good, **wrong})


def test_a_file_with_two_certificates_is_not_a_pin(world: World, make_client: MakeClient, tmp_path: Path) -> None:
    chain = tmp_path / "chain.pem"
    chain.write_bytes(Path(world.server.cert).read_bytes() + Path(world.authority.cert).read_bytes())
    with pytest.raises(ValueError, match="one certificate"):
        make_client(Server(), server="https://127.0.0.1:1", server_cert=str(chain))


def test_the_ends_of_certificates(world: World, tmp_path: Path) -> None:
    chain = tmp_path / "chain.pem"
    chain.write_bytes(Path(world.server.cert).read_bytes() + Path(world.ended.cert).read_bytes())
    assert certificate_ends([world.server.cert, str(chain)]) == {
        world.server.cert: NOW + timedelta(days=30),
        str(chain): NOW - timedelta(days=1),
    }
    with pytest.raises(ValueError, match="cannot be read"):
        certificate_ends([world.server.key])
