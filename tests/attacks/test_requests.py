"""Requests that no form of ours would send: forged, led elsewhere, with more in them than was asked, or broken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import get_resolver, reverse

from registry.models import (
    AuditEvent,
    Clientship,
    ContactAddress,
    Opening,
    Person,
    Problem,
    Service,
    SubjectCode,
    Unit,
    User,
)
from registry.policies import ROLES
from tests.access.conftest import NOBODY, NUMBER, problem
from tests.access.test_matrix import named
from tests.factories import PASSWORD, ClientshipFactory, PersonFactory, UserFactory, new_code, opened
from vtjsync.models import SyncRun

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("permit")]


@pytest.fixture
def everybody(roles: None, unit_a: Unit) -> User:
    """Somebody who may do everything in unit A."""
    return UserFactory.create(roles=sorted(ROLES), units=[unit_a])


def addresses(number: int = NUMBER, subject: str = NOBODY) -> dict[str, str]:
    """Every address of the program by its name, about what there is not."""
    found = {}
    for page in named(get_resolver().url_patterns):
        for arguments in ([], [number], [subject], [subject, subject]):
            try:
                found[page] = reverse(page, args=arguments)
            except Exception:  # noqa: S112 - another number of arguments
                continue
    return found


# --- forged requests


def test_no_address_takes_a_form_from_elsewhere(everybody: User) -> None:
    """Whatever it is: the refusal comes before the page, signed in or not, with the header of another site too."""
    forged = Client(enforce_csrf_checks=True)
    for _ in range(2):
        for page, address in addresses().items():
            answer = forged.post(address, {"language": "sv"}, headers={"Origin": "https://evil.example"})
            assert answer.status_code == 403, page
            assert "Location" not in answer, page
        forged.force_login(everybody)
    assert not AuditEvent.objects.filter(user_id=everybody.pk).exclude(action="SIGN_IN").exists()


def test_a_token_of_another_browser_is_none(everybody: User) -> None:
    theirs, own = Client(enforce_csrf_checks=True), Client(enforce_csrf_checks=True)
    token = theirs.get(reverse("sign-in")).cookies["csrftoken"].value
    own.force_login(everybody)
    own.get(reverse("clients"))
    assert own.post(reverse("sync-pause"), {"csrfmiddlewaretoken": token}).status_code == 403


# --- other methods

ACTS = (
    "sync-now",
    "sync-pause",
    "sync-resume",
    "sync-connection-now",
    "sign-out",
    "erasure-confirm",
    "client-mistaken",
)
TRICKS: dict[str, Callable[[Client, str], Any]] = {
    "GET": lambda browser, address: browser.get(address, {"confirm": "1"}),
    "HEAD": lambda browser, address: browser.head(address),
    "GET that says it is a POST": lambda browser, address: browser.get(
        address, {"_method": "POST"}, headers={"X-HTTP-Method-Override": "POST", "X-Method-Override": "POST"}
    ),
    "OPTIONS": lambda browser, address: browser.options(address),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_nothing_is_done_but_by_post(client: Client, everybody: User, trick: str) -> None:
    client.force_login(everybody)
    before = AuditEvent.objects.count()
    found = addresses()
    for page in ACTS:
        answer = TRICKS[trick](client, found[page])
        assert answer.status_code == 405 or (trick == "OPTIONS" and answer.content == b""), page
    assert (AuditEvent.objects.count(), SyncRun.objects.count()) == (before, 0)
    assert "_auth_user_id" in client.session


def test_a_head_tells_no_more_than_the_page(client: Client, aino: User, service_b: Service) -> None:
    hidden = ClientshipFactory.create(service=service_b).person
    client.force_login(aino)
    page = reverse("client", args=[hidden.subject])
    answers = [client.get(page), client.head(page), client.head(reverse("client", args=[NOBODY]))]
    assert {one.status_code for one in answers} == {404}
    assert answers[1].content == b""


# --- to another site

ELSEWHERE = [
    "https://evil.example/",
    "//evil.example",
    "///evil.example",
    "////evil.example/..",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "https:/evil.example",
    "http:///evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    "\x00//evil.example",
    " //evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "//testserver@evil.example/",
    "https://testserver.evil.example/",
    "https://testserver:x@evil.example/",
    "/\r\nLocation: https://evil.example/",
    "/clients/\r\n\r\n<script>alert(1)</script>",
    "/clients/%0d%0aSet-Cookie:%20evil=1",
]


def led_inside(answer: Any) -> bool:
    """Whether the answer leads to a page of ours, as a browser understands the address."""
    where = answer["Location"]
    plain = "".join(one for one in where if one not in "\t\r\n").strip().replace("\\", "/")
    parts = urlsplit(plain)
    return plain.startswith("/") and not plain.startswith("//") and not parts.netloc and not parts.scheme


@pytest.mark.parametrize("where", range(len(ELSEWHERE)), ids=[ascii(one) for one in ELSEWHERE])
def test_nobody_is_led_to_another_site(client: Client, daniel: User, service_a: Service, where: int) -> None:
    wanted = ELSEWHERE[where]
    choice = {"language": "sv", "next": wanted}
    signing = {"username": daniel.username, "password": PASSWORD, "next": wanted}
    person = ClientshipFactory.create(service=service_a, person=PersonFactory.create(protected=True)).person
    answers = [
        client.post(reverse("set-language"), choice),
        client.get(reverse("set-language"), {"next": wanted}),
        client.post(reverse("sign-in"), signing),
        client.get(reverse("sign-in"), {"next": wanted}),
        client.post(reverse("client-open", args=[person.subject]), {"reason": "SERVICE", "next": wanted}),
    ]
    # A form with a NUL in it is shown again.
    if "\0" in wanted:
        assert answers.pop().status_code == 200
    for answer in answers:
        assert answer.status_code == 302
        assert led_inside(answer), answer["Location"]
        assert not {"evil", "Set-Cookie"} & {*answer.cookies, *answer.headers}
        assert answer.content == b""


def test_where_one_came_from_leads_to_no_other_site(client: Client) -> None:
    come = client.post(reverse("set-language"), {"language": "sv"}, headers={"Referer": "https://evil.example/"})
    assert come["Location"] == "/"


def test_the_name_of_the_host_is_not_believed(client: Client, aino: User) -> None:
    client.force_login(aino)
    forwarded = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example", "X-Host": "evil.example"}
    answer = client.get(reverse("clients"), headers=forwarded)
    assert answer.status_code == 200
    assert b"evil.example" not in answer.content
    assert led_inside(client.get(reverse("start"), headers=forwarded))
    assert client.get("/", SERVER_NAME="evil.example").status_code == 400


# --- more than was asked

EXTRA = {
    "is_superuser": "on",
    "is_staff": "on",
    "groups": "1",
    "user_permissions": "1",
    "protected": "",
    "person": "1",
    "person_id": "1",
    "id": "1",
    "pk": "1",
    "subject": NOBODY,
    "unit": "1",
    "user": "1",
    "username": "bertta",
    "end": "2030-01-01",
    "ended_by": "1",
    "awaits_since": "",
    "created_at": "2001-01-01",
    "handled_by": "1",
    "closed_at": "2026-01-01",
    "status": "CURRENT",
    "home_street_fi": "Salakatu",
    "confirmed_at": "2001-01-01",
    "made_by": "1",
}


def test_a_form_takes_nothing_but_its_own_fields(
    client: Client, everybody: User, bertta: User, service_a: Service, service_b: Service
) -> None:
    client.force_login(everybody)
    held = ClientshipFactory.create(service=service_a)
    hidden = ClientshipFactory.create(service=service_a, person=PersonFactory.create(protected=True))
    opened(everybody, hidden.person)
    other = ClientshipFactory.create(service=service_b)
    rights = set(Permission.objects.filter(user=everybody)), set(everybody.groups.all()), set(everybody.units.all())
    before = list(Person.objects.order_by("pk").values()), list(Clientship.objects.filter(pk=other.pk).values())
    code = new_code()
    forms: list[tuple[str, list[Any], dict[str, Any]]] = [
        ("client-add", [], {"hetu": code, "service": service_a.pk, "start": "1.2.2026", "reference": "PS-1"}),
        ("clientship-end", [held.pk], {"end": "2026-01-31", "reason": "DIED", "confirm": "2026-01-31"}),
        ("client-open", [hidden.person.subject], {"reason": "OTHER", "note": "puhelu"}),
        ("contact-address", [hidden.person.subject], {"town": "PL 1", "confirmed": "on"}),
        ("problem-aside", [problem(held.person).pk], {"note": "soitettu"}),
    ]
    for page, arguments, own in forms:
        answer = client.post(reverse(page, args=arguments), {**EXTRA, **own})
        assert answer.status_code == 302, page
    everybody.refresh_from_db()
    assert not everybody.is_superuser
    assert rights == (
        set(Permission.objects.filter(user=everybody)),
        set(everybody.groups.all()),
        set(everybody.units.all()),
    )
    new = Person.objects.get(codes__hetu=code)
    assert (new.protected, new.status, new.home_street_fi) == (False, "AWAITING", None)
    assert before[0] == list(Person.objects.exclude(pk=new.pk).order_by("pk").values())
    assert before[1] == list(Clientship.objects.filter(pk=other.pk).values())
    made = Clientship.objects.get(person=new)
    assert (made.end, made.ended_by, made.created_at.year) == (None, None, made.awaits_since.year)  # type: ignore[union-attr]
    ended = Clientship.objects.get(pk=held.pk)
    assert (ended.end, ended.ended_by, ended.person_id) == (date(2026, 1, 31), everybody, held.person_id)
    assert (Opening.objects.latest("pk").user, ContactAddress.objects.get().person) == (everybody, hidden.person)
    aside = Problem.objects.get(person=held.person)
    assert (aside.handled_by, aside.closed_at, aside.closed_by) == (everybody, None, None)
    assert SubjectCode.objects.filter(subject=new.subject).exists()


# --- broken


def hostile(client: Client, address: str) -> list[Any]:
    """What no browser sends."""
    form, parts = "application/x-www-form-urlencoded", "multipart/form-data; boundary="
    bodies: list[tuple[bytes, str]] = [
        (b"q=%00&hetu=%00&next=%00&username=%00&password=%00&kind=%00&language=%00&note=%00&confirm=%00", form),
        (b"q=%ff%fe&hetu=%ff&reason=%ff&service=%ff&start=%ff&end=%ff&clientship=%ff&persons=%ff", form),
        (b"q=\xff\xfe", f"{form}; charset=utf-16"),
        (b"q=x", f"{form}; charset=no-such"),
        (b"q=x", f"{parts}\xff"),
        (b"--x\r\nContent-Disposition: form-data\r\n\r\n", f"{parts}x"),
        (b"--x\r\nContent-Disposition: form-data; name=q; filename=../../q\r\n\r\n\x00\r\n--x--", f"{parts}x"),
        (b'{"q": {"$gt": ""}}', "application/json"),
        ("&".join(f"f{number}=1" for number in range(3000)).encode(), form),
    ]
    return [
        *(client.generic("POST", address, body, content_type=kind) for body, kind in bodies),
        client.get(address, {"after": "\x00", "before": "\x00", "kind": "\x00", "unit": "\x00", "next": "\x00"}),
        client.get(address, {"after": "9" * 18, "before": "9" * 18, "kind": "'", "unit": "'"}),
        client.get(address, {"after": "٣" * 18, "before": "²" * 18, "aside": "\x00"}),
        client.get(address, headers={"Accept-Language": "\x00,,;q=x", "Cookie": "django_language=../../etc"}),
        client.get(address, headers={"X-Forwarded-For": "\x00", "X-Request-ID": "\x00", "Accept": "\x00"}),
    ]


# The pages that read what was sent, and those that answer without a sign-in.
READS = {"client-add", "client-look-up", "client-search", "clients", "audit-log", "audit-log-inquiry", "openings"}
READS |= {"problems", "sync-history", "sync-schedule", "erasure-confirm", "set-language"}
OPEN = {"sign-in", "set-language", "metrics", "start"}


@pytest.mark.parametrize("signed_in", [False, True])
def test_nothing_that_is_sent_breaks_a_page(everybody: User, signed_in: bool) -> None:
    client = Client(raise_request_exception=False)
    if signed_in:
        client.force_login(everybody)
    for page in READS if signed_in else OPEN:
        for number, answer in enumerate(hostile(client, addresses()[page])):
            assert answer.status_code < 500, (page, number)


@pytest.mark.long
def test_nothing_that_is_sent_breaks_any_page(everybody: User) -> None:
    client = Client(raise_request_exception=False)
    for page, address in addresses().items():
        client.force_login(everybody)
        for number, answer in enumerate(hostile(client, address)):
            assert answer.status_code < 500 or page == "readyz", (page, number)


def test_a_number_beyond_all_numbers_is_of_nothing(everybody: User) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(everybody)
    for page, address in addresses(number=10**40).items():
        for answer in (client.get(address), client.post(address, {"confirm": "x"})):
            assert answer.status_code < 500 or page == "readyz", page


# --- sessions


def test_a_session_from_before_the_sign_in_is_not_gone_on_with(client: Client) -> None:
    user = UserFactory.create()
    session = client.session
    session["planted"] = "x"
    session.save()
    theirs = session.session_key
    client.cookies["sessionid"] = theirs
    client.post(reverse("sign-in"), {"username": user.username, "password": PASSWORD})
    assert client.session.session_key != theirs
    attacker = Client()
    attacker.cookies["sessionid"] = theirs
    assert attacker.get(reverse("clients"))["Location"].startswith(reverse("sign-in"))


def test_the_session_ends_with_the_sign_out(client: Client, aino: User) -> None:
    client.force_login(aino)
    theirs = client.session.session_key
    client.post(reverse("sign-out"))
    thief = Client()
    thief.cookies["sessionid"] = theirs
    assert thief.get(reverse("clients"))["Location"].startswith(reverse("sign-in"))


def test_no_script_reads_a_cookie_and_no_other_site_sends_it(client: Client) -> None:
    user = UserFactory.create()
    client.get(reverse("sign-in"))
    client.post(reverse("sign-in"), {"username": user.username, "password": PASSWORD})
    for name in ("sessionid", "csrftoken"):
        cookie = client.cookies[name]
        assert cookie["httponly"], name
        assert cookie["samesite"] in {"Lax", "Strict"}, name
        assert not cookie["domain"], name
