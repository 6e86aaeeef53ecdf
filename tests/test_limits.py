"""How often one may try to sign in and search (docs/adr/0015)."""

from __future__ import annotations

from datetime import date, timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from registry.hetu import Hetu, compose
from registry.models import AuditEvent, User
from tests import processes
from tests.factories import PASSWORD, UserFactory
from vtjsync import limits, tallies
from vtjsync.models import Attempts

TYPED = "salainen sana"


def sign_in(name: str, password: str = TYPED, address: str = "10.0.0.1") -> int:
    form = {"username": name, "password": password}
    return Client().post(reverse("sign-in"), form, REMOTE_ADDR=address).status_code


@pytest.fixture
def hetu() -> Hetu:
    return compose(date(1980, 1, 1), 905, "-")


@pytest.fixture
def matti(db: None) -> User:
    return UserFactory.create(username="matti")


@pytest.mark.django_db
def test_after_five_wrong_passwords_not_even_the_right_one_is_tried(matti: User) -> None:
    assert [sign_in("matti") for _ in range(5)] == [200] * 5
    client = Client()
    form = {"username": "matti", "password": PASSWORD}
    answer = client.post(reverse("sign-in"), form, REMOTE_ADDR="10.0.0.1")
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= limits.SIGN_IN_SECONDS
    assert "Voit yrittää uudelleen 15 minuutin kuluttua" in answer.content.decode()
    assert PASSWORD not in answer.content.decode()
    assert "_auth_user_id" not in client.session
    # How the name is spelt makes no difference; another name, or the same person elsewhere, is not held up.
    assert sign_in(" MATTI") == 429
    assert sign_in("maija") == 200
    assert sign_in("matti", PASSWORD, address="10.0.0.2") == 302


@pytest.mark.django_db
def test_after_the_window_it_may_be_tried_again(matti: User) -> None:
    for _ in range(6):
        sign_in("matti")
    Attempts.objects.update(since=F("since") - timedelta(seconds=limits.SIGN_IN_SECONDS))
    assert sign_in("matti", PASSWORD) == 302


@pytest.mark.django_db
def test_who_gets_in_begins_anew_and_costs_others_nothing(matti: User) -> None:
    for _ in range(4):
        sign_in("matti")
    assert sign_in("matti", PASSWORD) == 302
    assert [sign_in("matti") for _ in range(5)] == [200] * 5
    before = {row.pk: row.count for row in Attempts.objects.all()}
    UserFactory.create(username="maija")
    for _ in range(60):
        assert sign_in("maija", PASSWORD) == 302
    assert before.items() <= {row.pk: row.count for row in Attempts.objects.all()}.items()


@pytest.mark.django_db
def test_who_is_signed_in_cannot_give_attempts_at_another_name_back(matti: User) -> None:
    for _ in range(6):
        sign_in("matti")
    client = Client()
    client.force_login(UserFactory.create())
    form = {"username": "matti", "password": TYPED}
    assert client.post(reverse("sign-in"), form, REMOTE_ADDR="10.0.0.1").status_code == 302
    assert sign_in("matti") == 429


@pytest.mark.django_db
def test_many_names_from_one_address_and_one_name_from_many_are_held_up_too(settings: Settings) -> None:
    settings.SIGN_IN_ATTEMPTS = 1
    told = [sign_in(f"name {number}", address="10.0.0.1") for number in range(11)]
    assert told == [200] * 10 + [429]
    told = [sign_in("other", address=f"10.0.1.{number}") for number in range(11)]
    assert told == [200] * 10 + [429]


@pytest.mark.django_db(transaction=True)
def test_many_at_once_are_no_way_around(settings: Settings) -> None:
    together = Barrier(8)
    told: list[int] = []

    def attempt() -> None:
        together.wait()
        told.append(sign_in("matti"))
        connection.close()

    threads = [Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [200] * 5 + [429] * 3


@pytest.mark.django_db
def test_g49_nothing_that_was_typed_is_kept(hetu: Hetu) -> None:
    for typed in (TYPED, hetu):
        for _ in range(6):
            sign_in(typed, address="10.9.8.7")
    kept = " ".join(Attempts.objects.values_list("pk", flat=True))
    for secret in (TYPED, hetu, "10.9.8.7"):
        assert secret not in kept
    # One event when it begins, and not one for every attempt.
    held = AuditEvent.objects.filter(action="HOLD_UP")
    assert [(one.username, one.origin, one.outcome, one.details) for one in held] == [
        ("", "10.9.8.7", "refused", {})
    ] * 2
    assert tallies.counts()[tallies.HELD_SIGN_INS] == 2


@pytest.mark.django_db(transaction=True)
def test_an_operator_lets_somebody_in(matti: User) -> None:
    for name in ("matti", "maija"):
        for _ in range(6):
            sign_in(name)
    assert processes.run("unlock_sign_in", "Matti").stdout == "They can try again.\n"
    assert (sign_in("matti"), sign_in("maija")) == (200, 429)
    assert processes.run("unlock_sign_in").returncode == 2
    assert processes.run("unlock_sign_in", "--all").returncode == 0
    assert sign_in("maija") == 200
    assert processes.run("unlock_sign_in", "nobody").stdout == "Nothing was counted.\n"


@pytest.mark.django_db
def test_who_searches_faster_than_by_hand_waits_and_leaves_an_event(
    aino: User, celia: User, settings: Settings
) -> None:
    settings.SEARCHES_A_MINUTE = 3
    client, other = Client(), Client()
    client.force_login(aino)
    other.force_login(celia)
    told = [client.post(reverse("client-search"), {"q": "virtanen"}) for _ in range(5)]
    assert [answer.status_code for answer in told] == [200, 200, 200, 429, 429]
    assert "enemmän hakuja" in told[-1].content.decode()
    assert 0 < int(told[-1]["Retry-After"]) <= 60
    # What was refused was not done.
    assert AuditEvent.objects.filter(action="SEARCH").count() == 3
    events = AuditEvent.objects.filter(action="HOLD_UP").values_list("user_id", "outcome", "origin")
    assert list(events) == [(aino.pk, "refused", "127.0.0.1")]
    assert tallies.counts()[tallies.HELD_SEARCHES] == 2
    # Adding and looking up answer questions about people too; reading on does not, and others are not held up.
    assert client.post(reverse("client-add"), {}).status_code == 429
    assert client.get(reverse("clients")).status_code == 200
    assert other.post(reverse("client-search"), {"q": "virtanen"}).status_code == 200
    Attempts.objects.update(since=F("since") - timedelta(seconds=61))
    assert client.post(reverse("client-search"), {"q": "virtanen"}).status_code == 200


@pytest.mark.django_db
def test_counts_of_the_day_before_are_forgotten() -> None:
    sign_in("matti")
    limits.forget()
    assert Attempts.objects.exists()
    Attempts.objects.update(since=F("since") - timedelta(days=2))
    limits.forget()
    assert not Attempts.objects.exists()
