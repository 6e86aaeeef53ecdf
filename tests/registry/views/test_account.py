"""One's own sessions and password, and everybody's sessions for who may end them (docs/adr/0017)."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from registry import browsers
from registry.models import AuditEvent, Session, User
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"
NEW = "uusi hevonen talli"


def signed_in(user: User, agent: str = FIREFOX, address: str = "10.0.0.7") -> Client:
    client = Client(headers={"user-agent": agent}, REMOTE_ADDR=address)
    client.post(reverse("sign-in"), {"username": user.username, "password": PASSWORD})
    return client


def events(action: str) -> list[tuple[str, str, object]]:
    rows = AuditEvent.objects.filter(action=action).order_by("pk")
    return [(one.username, one.outcome, one.details) for one in rows]


def test_one_sees_and_ends_ones_own_sessions(aino: User, celia: User) -> None:
    here, there, third, others = (
        signed_in(aino),
        signed_in(aino, address="10.0.0.8"),
        signed_in(aino),
        signed_in(celia),
    )
    answer = here.get(reverse("account"))
    page = answer.content.decode()
    assert "10.0.0.7" in page
    assert "Firefox, Windows" in page
    assert [row.here for row in answer.context["rows"]] == [True, False, False]
    assert here.session.session_key not in page
    handle = Session.objects.get(origin="10.0.0.8").handle
    assert others.post(reverse("account-end"), {"which": handle}, follow=True).status_code == 200
    assert there.get(reverse("account")).status_code == 200, "it is not theirs to end"
    here.post(reverse("account-end"), {"which": handle})
    assert there.get(reverse("account")).status_code == 302
    here.post(reverse("account-end"), {"which": "others"})
    assert [one.get(reverse("account")).status_code for one in (here, third, others)] == [200, 302, 200]
    assert here.post(reverse("account-end"), {"which": "x"}).status_code == 404
    assert events("END_SESSIONS") == [("aino", "done", {"sessions": 1, "user": "aino"})] * 2


def test_an_administrator_ends_all_sessions_of_a_user(aino: User, bertta: User) -> None:
    own, theirs = signed_in(bertta), [signed_in(aino), signed_in(aino)]
    rows = own.get(reverse("sessions")).context["rows"]
    assert [(row.username, row.sessions) for row in rows] == [("aino", 2), ("bertta", 1)]
    answer = own.post(reverse("sessions-end"), {"user": aino.pk}, follow=True)
    assert "2 istuntoa päätettiin" in answer.content.decode()
    assert {one.get(reverse("account")).status_code for one in theirs} == {302}
    assert events("END_SESSIONS") == [("bertta", "done", {"sessions": 2, "user": "aino"})]


def test_another_password_ends_all_other_sessions(aino: User) -> None:
    here, there = signed_in(aino), signed_in(aino)
    form = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert here.post(reverse("password"), form)["Location"] == reverse("account")
    assert here.get(reverse("account")).status_code == 200
    assert there.get(reverse("account")).status_code == 302
    assert Session.objects.filter(user=aino).count() == 1
    assert events("CHANGE_PASSWORD") == [("aino", "done", {})]
    aino.refresh_from_db()
    assert aino.check_password(NEW)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"old_password": "wrong password"}, "Salasana on väärä"),
        ({"new_password2": "something else"}, "eivät täsmänneet"),
        ({"new_password1": "lyhyt", "new_password2": "lyhyt"}, "Salasana on liian lyhyt: tarvitaan 12 merkkiä."),
        ({"new_password1": "aino esimerkki", "new_password2": "aino esimerkki"}, "muistuttaa liikaa"),
        ({"new_password1": "123456789012", "new_password2": "123456789012"}, "numeerinen"),
    ],
    ids=["wrong", "not the same", "short", "the name", "digits only"],
)
def test_a_password_is_refused_in_words(aino: User, changed: dict[str, str], words: str) -> None:
    form = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW} | changed
    page = signed_in(aino).post(reverse("password"), form).content.decode()
    assert words in page
    assert not [typed for typed in form.values() if f'"{typed}"' in page]
    aino.refresh_from_db()
    assert aino.check_password(PASSWORD)


def test_guessing_the_present_password_is_counted(aino: User) -> None:
    client = signed_in(aino)
    form = {"old_password": "wrong", "new_password1": NEW, "new_password2": NEW}
    assert [client.post(reverse("password"), form).status_code for _ in range(6)] == [200] * 5 + [429]
    assert events("SIGN_IN_AGAIN") == [("aino", "refused", {"fault": "PASSWORD"})] * 5


def test_a_new_password_that_is_refused_is_no_guess(aino: User) -> None:
    client = signed_in(aino)
    form = {"old_password": PASSWORD, "new_password1": "short", "new_password2": "short"}
    assert {client.post(reverse("password"), form).status_code for _ in range(7)} == {200}


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (FIREFOX, "Firefox, Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14) AppleWebKit/605 Version/17 Safari/605", "Safari, macOS"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537 Chrome/126.0 Safari/537 Edg/126.0", "Edge, Windows"),
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537 Chrome/126.0 Mobile Safari/537", "Chrome, Android"),
        ("<script>", ""),
    ],
)
def test_a_browser_in_a_word_or_two(agent: str, name: str) -> None:
    assert browsers.named(agent) == name


def test_two_accounts_cannot_be_one_person_elsewhere(db: None) -> None:
    from django.db import IntegrityError, transaction

    UserFactory.create(issuer="https://a", sub="1")
    for fields in ({"issuer": "https://a", "sub": "1"}, {"issuer": "https://a"}, {"sub": "1"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            UserFactory.create(**fields)
    UserFactory.create(issuer="https://b", sub="1")
