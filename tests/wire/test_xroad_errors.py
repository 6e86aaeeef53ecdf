"""What goes wrong on the way: what it is called, what is tried again, how long, and what is logged (wire.md 1, B16)."""

from __future__ import annotations

import base64
import logging
import socket
import threading
import time
from itertools import count, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.wire.conftest import MakeClient
from tests.wire.server import Reply, Server
from vtjsync.wire.errors import TEXTS, Denied, Reason, Refused, Unavailable, Unreadable, VtjError
from vtjsync.wire.xroad import XRoadClient

PERSON = b"010190-999P Tes Osoitetie 1"


def x_road_error(code: str, status: int = 500) -> Reply:
    return Reply(status, b'{"type": "%s", "message": "m", "detail": "d"}' % code.encode(), {"X-Road-Error": code})


# Errors


@pytest.mark.parametrize("status", [401, 403])
def test_denied_stops_at_once(server: Server, client: XRoadClient, status: int) -> None:
    server.replies = [Reply(status, b'{"type": "denied.here"}', {"X-Road-Request-Id": "r-1"})]
    with pytest.raises(Denied) as raised:
        client.get("p")
    error = raised.value
    assert (error.status, error.error_type, error.request_id) == (status, "denied.here", "r-1")
    assert error.x_road_id == server.asked[0].headers["X-Road-Id"]
    assert len(server.asked) == 1


@pytest.mark.parametrize("code", ["Server.ServerProxy.AccessDenied", "server.serverproxy.access_denied"])
def test_access_denied_in_both_spellings(server: Server, client: XRoadClient, code: str) -> None:
    server.replies = [x_road_error(code)]
    with pytest.raises(Denied, match="permit") as raised:
        client.get("p")
    assert (raised.value.error_type, raised.value.status) == (code, 500)
    assert len(server.asked) == 1


def test_an_error_of_x_road_is_one_whatever_the_status(server: Server, client: XRoadClient) -> None:
    server.replies = [Reply(200, b"{}", {"X-Road-Error": "server.serverproxy.access_denied"})]
    with pytest.raises(Denied):
        client.get("p")


@pytest.mark.parametrize(
    "code", ["Server.ClientProxy.SslAuthenticationFailed", "server.clientproxy.ssl_authentication_failed"]
)
def test_a_certificate_that_x_road_does_not_accept(server: Server, client: XRoadClient, code: str) -> None:
    server.replies = [x_road_error(code)]
    with pytest.raises(Denied, match="VTJ_CERT"):
        client.get("p")
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "code",
    [
        "Client.InternalError",
        "client.network_error",
        "Server.ClientProxy.UnknownMember",
        "server.clientproxy.unknown_member",
        "Server.ServerProxy.UnknownService",
        "server.clientproxy.invalid_request",
    ],
)
def test_what_x_road_will_say_again_is_not_asked_again(server: Server, client: XRoadClient, code: str) -> None:
    server.replies = [x_road_error(code, 400)]
    with pytest.raises(Unavailable, match="VTJ_SERVICE") as raised:
        client.get("p")
    assert not raised.value.again
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "reply",
    [
        *(
            x_road_error(code)
            for code in (
                "Server.ClientProxy.NetworkError",
                "server.clientproxy.network_error",
                "Server.ServerProxy.IOError",
                "Server.ServerProxy.InternalError",
                "server.serverproxy.database_error",
                "Server.ClientProxy.OutdatedGlobalConf",
                "server.clientproxy.timestamping_failed",
                "Server.ServerProxy.ServiceFailed.InvalidContentType",
                "server.serverproxy.service_failed.internal_error",
                "server.serverproxy.maintenance_mode",
                "",
            )
        ),
        *(Reply(status, b"<html>busy</html>") for status in (408, 429, 500, 502, 503, 504, 599)),
        Reply(reset=True),
        Reply(raw=b""),
        Reply(raw=b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"perustiedot"'),
        Reply(raw=b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\n'),
        Reply(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + PERSON),
        Reply(raw=b"SSH-2.0-OpenSSH\r\n"),
        Reply(raw=PERSON + b"\r\n\r\n"),
    ],
)
def test_b16_what_may_pass_is_asked_again_with_a_new_id(
    server: Server, client: XRoadClient, waits: list[float], reply: Reply
) -> None:
    server.replies = [reply, reply, Reply(body=b"[1]")]
    assert client.post("p", b"{}").body == b"[1]"
    assert len({asked.headers["X-Road-Id"] for asked in server.asked}) == 3
    assert [asked.body for asked in server.asked] == [b"{}"] * 3
    assert (client.requests, client.retries) == (3, 2)
    assert len(waits) == 2
    assert all(wait >= 1 for wait in waits)


def test_b16_the_waits_grow_and_the_attempts_end(server: Server, make_client: MakeClient, waits: list[float]) -> None:
    server.replies = [Reply(503, b"")]
    client = make_client(server, attempts=5)
    with pytest.raises(Unavailable) as raised:
        client.get("p")
    assert (raised.value.status, raised.value.reason) == (503, Reason.OUT_OF_ORDER)
    assert raised.value.x_road_id == server.asked[-1].headers["X-Road-Id"]
    assert len(server.asked) == 5
    assert len(waits) == 4
    assert all(one < other for one, other in pairwise(waits))


@pytest.mark.parametrize(
    ("headers", "least"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "86400"}, 30),
        ({"Retry-After": "9" * 400}, 1),
        ({"Retry-After": "Tue, 24 Nov 2026 04:00:20 GMT", "Date": "Tue, 24 Nov 2026 04:00:00 GMT"}, 20),
        ({"Retry-After": "Tue, 24 Nov 2026 04:00:00 GMT", "Date": "Tue, 24 Nov 2026 04:00:20 GMT"}, 1),
        ({"Retry-After": "Tue, 24 Nov 2026 04:00:20 GMT"}, 1),
        ({"Retry-After": "soon"}, 1),
        ({}, 1),
    ],
)
def test_b16_retry_after_is_honoured_up_to_a_cap(
    server: Server, make_client: MakeClient, waits: list[float], headers: dict[str, str], least: float
) -> None:
    server.replies = [Reply(429, b"", headers), Reply()]
    make_client(server, retry_after_cap=30).get("p")
    assert len(waits) == 1
    assert waits[0] == least if least > 1 else 1 <= waits[0] <= 2


def test_the_quota_is_named_when_it_is_used_up(server: Server, make_client: MakeClient) -> None:
    server.replies = [Reply(429, b"")]
    with pytest.raises(Unavailable, match="VTJ_RATE_LIMIT"):
        make_client(server, attempts=2).get("p")


@pytest.mark.parametrize(
    ("body", "cursor"),
    [
        (b'{"type": "bad.request"}', True),
        (b"", True),
        (b'{"type": "bad.request", "message": "viimeisinKirjausavain"}', True),
        (b'{"type": "bad.request", "message": "Hetulista"}', False),
        (b'{"message": "viimeisinKirjausavain, henkilotunnus"}', True),
    ],
)
def test_b16_another_4xx_of_the_provider_is_a_refusal(
    server: Server, client: XRoadClient, body: bytes, *, cursor: bool
) -> None:
    server.replies = [Reply(400, body)]
    with pytest.raises(Refused) as raised:
        client.get("p")
    assert (raised.value.status, raised.value.might_be_cursor) == (400, cursor)
    assert raised.value.error_type == ("bad.request" if b"type" in body else "")
    assert len(server.asked) == 1


def test_a_request_that_is_too_large_is_refused_whoever_says_so(server: Server, client: XRoadClient) -> None:
    server.replies = [Reply(413, b"<html>")]
    with pytest.raises(Refused) as raised:
        client.get("p")
    assert not raised.value.might_be_cursor


def test_a_web_page_with_4xx_is_not_the_providers_refusal(server: Server, client: XRoadClient) -> None:
    server.replies = [Reply(404, b"\n<!doctype html>")]
    with pytest.raises(Unreadable) as raised:
        client.get("p")
    assert (raised.value.reason, raised.value.status) == (Reason.HTML, 404)


@pytest.mark.parametrize("told", [PERSON, b"010190-999P", b"x010190-999P", b"A" * 101, b"\xff"], ids=count())
def test_h49_an_error_type_holds_no_personal_data(server: Server, client: XRoadClient, told: bytes) -> None:
    server.replies = [Reply(400, b'{"type": "%s"}' % told)]
    with pytest.raises(Refused) as raised:
        client.get("p")
    assert raised.value.error_type == ""


def test_a_stale_connection_is_replaced_at_once(server: Server, client: XRoadClient, waits: list[float]) -> None:
    client.get("p")
    server.replies = [Reply(reset=True), Reply(body=b"[1]")]
    assert client.get("p").body == b"[1]"
    assert waits == [0.0]


def test_a_connection_that_the_server_closed_meanwhile(server: Server, client: XRoadClient) -> None:
    server.replies = [Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), Reply(body=b"[1]")]
    client.get("p")
    time.sleep(0.1)
    assert client.get("p").body == b"[1]"
    assert (client.requests, client.retries) == (2, 0)


def test_nobody_listens(server: Server, make_client: MakeClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unavailable, match="VTJ_SERVER") as raised:
        make_client(server, server=f"http://127.0.0.1:{port}", attempts=3).get("p")
    assert (raised.value.reason, raised.value.status) == (Reason.NETWORK, None)


# Time


def test_an_answer_that_does_not_begin_is_given_up(server: Server, make_client: MakeClient) -> None:
    server.replies = [Reply(before=0.5), Reply(body=b"[1]")]
    client = make_client(server, read_timeout=0.1)
    assert client.get("p").body == b"[1]"
    assert client.retries == 1


def test_the_deadline_covers_all_attempts(server: Server, make_client: MakeClient) -> None:
    server.replies = [Reply(before=0.3)]
    client = make_client(server, read_timeout=0.2, deadline=0.5, attempts=100, sleep=time.sleep)
    started = time.monotonic()
    with pytest.raises(Unavailable) as raised:
        client.get("p")
    assert time.monotonic() - started < 0.9
    assert raised.value.reason is Reason.DEADLINE
    assert client.requests < 4


def test_a_wait_that_would_pass_the_deadline_is_not_begun(
    server: Server, make_client: MakeClient, waits: list[float]
) -> None:
    server.replies = [Reply(429, b"", {"Retry-After": "40"})]
    with pytest.raises(Unavailable):
        make_client(server, deadline=30).get("p")
    assert waits == []
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body=b"x" * 1000, drip=0.05),
        Reply(400, body=b"x" * 1000, drip=0.05),
        Reply(raw=b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1000, drip=0.05),
        Reply(raw=b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1000, drip=0.005),
    ],
)
def test_an_answer_that_drips_ends_at_the_deadline(server: Server, make_client: MakeClient, reply: Reply) -> None:
    server.replies = [reply]
    started = time.monotonic()
    with pytest.raises(VtjError):
        make_client(server, read_timeout=0.2, deadline=0.4).get("p")
    assert time.monotonic() - started < 0.8


def test_the_budget_is_asked_before_every_attempt_and_its_time_does_not_count(
    server: Server, make_client: MakeClient
) -> None:
    asked: list[int] = []

    def budget() -> None:
        asked.append(len(server.asked))
        time.sleep(0.2)

    server.replies = [Reply(500, b""), Reply(500, b""), Reply()]
    make_client(server, deadline=0.4, before_request=budget, retry_after_cap=0.001).get("p")
    assert asked == [0, 1, 2]


def test_what_the_budget_raises_passes_through(server: Server, make_client: MakeClient) -> None:
    def stopped() -> None:
        raise LookupError("stopped")

    with pytest.raises(LookupError, match="stopped"):
        make_client(server, before_request=stopped).get("p")
    assert server.asked == []


# Evidence


def test_h49_nothing_of_a_person_is_logged_or_told(
    server: Server, make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = make_client(server, username="user", password="password-of-ours", attempts=2)
    secrets = ("010190-999P", "Osoitetie", "password-of-ours", base64.b64encode(b"user:password-of-ours").decode())
    raws = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + PERSON,
        PERSON + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + PERSON,
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/" + PERSON + b"\r\n\r\n",
        b"HTTP/1.1 400 " + PERSON + b"\r\nX-Road-Request-Id: " + PERSON + b"\r\nX-Road-Error: 010190-999P\r\n\r\n",
    )
    for raw in raws:
        server.replies = [Reply(raw=raw)]
        with pytest.raises(VtjError) as raised:
            client.post("p", PERSON)
        error = raised.value
        assert str(error) in TEXTS.values()
        assert error.__context__ is None
        assert error.__cause__ is None
        assert not any(secret in repr(vars(error)) for secret in secrets)
    assert not any(secret in repr(client) for secret in secrets)
    server.replies = [Reply(raw=b"HTTP/1.1 200 OK\r\n" + PERSON + b"\r\nContent-Length: 2\r\n\r\n{}")]
    client.post("p", PERSON)
    assert "X-Road-Id" in caplog.text
    assert not any(secret in caplog.text for secret in secrets)


def test_every_attempt_is_logged_with_its_ids(
    server: Server, client: XRoadClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "vtjsync.wire")
    server.replies = [Reply(503, b"", {"X-Road-Request-Id": "r-1"}), Reply(headers={"X-Road-Request-Id": "r-2"})]
    client.get("p")
    first, second = (record.getMessage() for record in caplog.records if record.name == "vtjsync.wire.line")
    assert f"GET VTJmutpa status 503 X-Road-Id {server.asked[0].headers['X-Road-Id']} X-Road-Request-Id r-1" in first
    assert f"GET VTJmutpa status 200 X-Road-Id {server.asked[1].headers['X-Road-Id']} X-Road-Request-Id r-2" in second


@pytest.mark.parametrize(
    ("told", "logged"),
    [
        ("a0a0a0a0-1234-4234-8234-123456789012", True),
        ("r-1", True),
        ("010190-999P", False),
        ("x010190A999P", False),
        ("r 1", False),
    ],
)
def test_g49_an_id_that_may_be_an_identity_code_is_not_logged(
    server: Server, client: XRoadClient, caplog: pytest.LogCaptureFixture, told: str, *, logged: bool
) -> None:
    caplog.set_level(logging.INFO)
    server.replies = [Reply(headers={"X-Road-Request-Id": told})]
    assert client.get("p").request_id == (told if logged else "")
    assert (told in caplog.text) is logged


def test_every_reason_has_its_words() -> None:
    assert set(TEXTS) == set(Reason)
    assert len(set(TEXTS.values())) == len(Reason)


def test_one_client_can_be_shared_by_threads(server: Server, client: XRoadClient) -> None:
    threads = [threading.Thread(target=client.get, args=("p",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({asked.headers["X-Road-Id"] for asked in server.asked}) == 8


HEADERS = st.sampled_from(
    [b"Content-Length: 5", b"Transfer-Encoding: chunked", b"Content-Encoding: gzip", b"X-Road-Error: x", b"Date: \xff"]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    status=st.one_of(st.integers(200, 599).map(lambda n: b"HTTP/1.1 %d OK" % n), st.binary(max_size=20)),
    headers=st.lists(st.one_of(HEADERS, st.binary(max_size=20)), max_size=3),
    body=st.binary(max_size=30),
)
def test_whatever_the_server_says_it_is_an_answer_or_our_error(
    server: Server, make_client: MakeClient, status: bytes, headers: list[bytes], body: bytes
) -> None:
    server.replies = [Reply(raw=b"\r\n".join([status, *headers, b"", body]))]
    client = make_client(server, attempts=1, deadline=2)
    try:
        assert 200 <= client.get("p").status < 300
    except VtjError:
        pass
    finally:
        client.close()
