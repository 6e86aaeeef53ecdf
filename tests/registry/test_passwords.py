"""Passwords are not made of the words of this register and of who keeps it."""

from __future__ import annotations

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from registry.models import Authority, Unit, User
from registry.passwords import WORDS
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(unit_a: Unit) -> User:
    Authority.objects.create(business_id="0101263-6", name_fi="Esimerkkilän kaupunki", name_sv="Exempelstad")
    Unit.objects.filter(pk=unit_a.pk).update(name_fi="Kotihoito", name_sv="Hemvård")
    return UserFactory.create(units=[unit_a])


@pytest.mark.parametrize(
    "password",
    [
        "Turvakielto2026!",
        "VTJsync-palveluseteli",
        "exempelstad-1234",
        "ESIMERKKILÄN2026",
        "Hemvård+Kotihoito+7",
        "hyvinvointialue-vtj-2",
    ],
)
def test_a_password_of_our_words_is_refused(user: User, password: str) -> None:
    with pytest.raises(ValidationError) as error:
        validate_password(password, user)
    assert "our_words" in [one.code for one in error.value.error_list]


def test_one_with_words_of_its_own_may_hold_some_of_ours(user: User) -> None:
    validate_password("neljä-tuulta-8", user)
    validate_password("kotihoito ja kuutamo järvellä", user)
    validate_password("neljä-tuulta-8")


def test_the_words_are_in_order_and_comparable() -> None:
    assert list(WORDS) == sorted({word.casefold() for word in WORDS})
