"""One request to the security server: what is sent and what comes back (wire.md 1)."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from uuid import UUID

import pytest

from tests.wire.conftest import CLIENT, MakeClient
from tests.wire.server import Reply, Server
from vtjsync.wire.errors import Reason, Unreadable
from vtjsync.wire.xroad import XRoadClient, XRoadService

# What is sent


def test_a_request_carries_x_roads_headers(server: Server, client: XRoadClient) -> None:
    client.post("api/v1/perustiedot", b'{"hetulista":[]}')
    (asked,) = server.asked
    assert asked.method == "POST"
    assert asked.path == "/r1/FI-TEST/GOV/0245437-2/VTJmutpa/VTJmutpa/api/v1/perustiedot"
    assert asked.body == b'{"hetulista":[]}'
    assert asked.headers["X-Road-Client"] == CLIENT
    assert asked.headers["Content-Type"] == "application/json"
    assert asked.headers["Accept"] == "application/json"
    assert UUID(asked.headers["X-Road-Id"]).version == 4
    assert asked.headers["User-Agent"] == "vtjsync"
    assert {"X-Road-UserId", "Authorization", "Cookie"}.isdisjoint(asked.headers)


def test_every_id_is_percent_encoded_by_itself(server: Server, make_client: MakeClient) -> None:
    service = XRoadService("FI", "GOV", "1 2", "väestö", "a?b")
    make_client(server, service=service, client="FI/MUN/ä#/x y").get("p")
    assert server.asked[0].path == "/r1/FI/GOV/1%202/v%C3%A4est%C3%B6/a%3Fb/p"
    assert server.asked[0].headers["X-Road-Client"] == "FI/MUN/%C3%A4%23/x%20y"


def test_credentials_are_built_from_utf_8(server: Server, make_client: MakeClient) -> None:
    make_client(server, username="käyttäjä", password="sala:sanä").get("p")
    scheme, told = server.asked[0].headers["Authorization"].split()
    assert (scheme, base64.b64decode(told).decode()) == ("Basic", "käyttäjä:sala:sanä")


def test_the_header_of_the_credentials_is_a_setting(server: Server, make_client: MakeClient) -> None:
    make_client(
        server, username="u", password="p", auth_header="X-Authorization", extra_headers={"X-Gateway": "key 1"}
    ).get("p")
    headers = server.asked[0].headers
    assert "Authorization" not in headers
    assert headers["X-Authorization"].startswith("Basic ")
    assert headers["X-Gateway"] == "key 1"


def test_who_asks_is_named_in_characters_that_a_header_can_hold(server: Server, client: XRoadClient) -> None:
    client.post("p", b"{}", user_id="åke@kunta.fi\r\nX-Evil: 1")
    assert server.asked[0].headers["X-Road-UserId"] == "%C3%A5ke@kunta.fi%0D%0AX-Evil%3A%201"
    assert "X-Evil" not in server.asked[0].headers


def test_nothing_is_taken_from_the_environment(
    server: Server, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    assert make_client(server).get("p").status == 200


def test_cookies_are_not_kept(server: Server, client: XRoadClient) -> None:
    server.replies = [Reply(headers={"Set-Cookie": "sticky=1; Path=/"})]
    client.get("p")
    client.get("p")
    assert "Cookie" not in server.asked[1].headers


@pytest.mark.parametrize(
    "arguments",
    [
        {"server": ""},
        {"server": "http://192.0.2.1:8080"},
        {"server": "http://vtj.example"},
        {"server": "http://127.0.0.1.example"},
        {"server": "ftp://127.0.0.1"},
        {"server": "https://127.0.0.1:1"},
        {"server": "http://user:password@127.0.0.1"},
        {"server": "https://127.0.0.1:1", "server_cert": "/nowhere/there.pem"},
        {"client": "FI-TEST/MUN/0101263-6"},
        {"client": "FI-TEST/MUN//vtjsync"},
        {"username": "a:b"},
        {"extra_headers": {"X-A": "1\r\nX-B: 2"}},
        {"extra_headers": {"X A": "1"}},
    ],
)
def test_arguments_that_cannot_work_are_refused_at_once(
    server: Server, make_client: MakeClient, arguments: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match=r"VTJ_|header|cannot be read"):
        make_client(server, **arguments)


@pytest.mark.parametrize("url", ["http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1/"])
def test_plain_http_is_for_this_machine(server: Server, make_client: MakeClient, url: str) -> None:
    make_client(server, server=url)


@pytest.mark.parametrize("text", ["", "FI/GOV/1/S", "FI/GOV/1/S/s/v1", "FI/GOV/1//s"])
def test_a_service_has_five_ids(text: str) -> None:
    with pytest.raises(ValueError, match="service"):
        XRoadService.parse(text)


# What comes back


def test_an_answer_has_its_own_moment_and_ids(server: Server, client: XRoadClient) -> None:
    headers = {"Date": "Tue, 24 Nov 2026 04:12:09 GMT", "X-Road-Request-Id": "7b0c3f62-0000"}
    server.replies = [Reply(body=b'{"a": 1}', headers=headers)]
    answer = client.get("p")
    assert answer.body == b'{"a": 1}'
    assert answer.at == datetime(2026, 11, 24, 4, 12, 9, tzinfo=UTC)
    assert answer.at.tzinfo is UTC
    assert answer.request_id == "7b0c3f62-0000"
    assert answer.x_road_id == server.asked[0].headers["X-Road-Id"]
    assert "body" not in repr(answer)


@pytest.mark.parametrize(
    "date",
    ["", "soon", "Tue, 24 Nov 2026 04:12:09 -0000", "Tue, 99 Nov 2026 04:12:09 GMT", "Fri, 31 Dec 9999 23:59:59 -2300"],
)
def test_an_answer_without_a_moment(server: Server, client: XRoadClient, date: str) -> None:
    server.replies = [Reply(headers={"Date": date})]
    assert client.get("p").at is None


def test_a_chunked_answer_is_read(server: Server, client: XRoadClient) -> None:
    chunks = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\n4\r\n: 1}\r\n0\r\n\r\n'
    server.replies = [Reply(raw=chunks)]
    assert client.get("p").body == b'{"a": 1}'


def test_connections_are_used_again(server: Server, client: XRoadClient) -> None:
    for _ in range(3):
        client.post("p", b"{}")
    assert server.connections == 1


def test_an_answer_that_is_too_large_is_not_read_to_its_end(server: Server, make_client: MakeClient) -> None:
    server.replies = [Reply(body=b"x" * 100)]
    assert make_client(server, max_body=100).get("p").body == b"x" * 100
    server.replies = [Reply(body=b"x" * 101)]
    with pytest.raises(Unreadable) as raised:
        make_client(server, max_body=100).get("p")
    assert raised.value.reason is Reason.TOO_LARGE
    assert raised.value.status == 200


def test_redirects_are_not_followed(server: Server, client: XRoadClient) -> None:
    server.replies = [Reply(302, b"", {"Location": f"{server.url}/elsewhere"})]
    with pytest.raises(Unreadable) as raised:
        client.get("p")
    assert raised.value.reason is Reason.REDIRECT
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("body", "permitted"),
    [(b'{"service": [{"service_code": "VTJmutpa", "endpoint_list": []}]}', True), (b'{"service": []}', False)],
)
def test_the_permit_can_be_asked_of_x_road(
    server: Server, client: XRoadClient, body: bytes, *, permitted: bool
) -> None:
    server.replies = [Reply(body=body)]
    assert client.is_permitted() is permitted
    assert server.asked[0].path == "/r1/FI-TEST/GOV/0245437-2/VTJmutpa/allowedMethods"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"service": null}', b'{"service": [1]}'])
def test_an_unreadable_list_of_methods(server: Server, client: XRoadClient, body: bytes) -> None:
    server.replies = [Reply(body=body)]
    with pytest.raises(Unreadable):
        client.is_permitted()
