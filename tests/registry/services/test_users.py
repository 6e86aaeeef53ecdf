"""Members of staff are made at the server's prompt (outside.md, Commands; domain.md H52)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.contrib.auth.models import Group as Role
from django.db import connection
from django.utils import translation

from registry.models import AuditEvent, Unit, User
from registry.policies import ROLES
from registry.services import users
from registry.services.errors import Refused
from tests.cast import clerk
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("roles")]

PASSWORD = "neljä-tuulta-8"


def test_a_user_has_the_roles_and_units_and_no_more(unit_a: Unit, unit_b: Unit) -> None:
    user = users.create(clerk, " aino ", PASSWORD, ["caseworker", "auditor"], [unit_a])
    user = User.objects.get(pk=user.pk)
    assert user.username == "aino"
    assert user.check_password(PASSWORD)
    assert PASSWORD not in user.password
    assert {role.name for role in user.groups.all()} == {"caseworker", "auditor"}
    assert list(user.units.all()) == [unit_a]
    assert (user.is_superuser, user.is_staff, user.user_permissions.count()) == (False, False, 0)


def test_g46_a_new_user_is_an_event_without_the_password() -> None:
    users.create(clerk, "aino", PASSWORD, ["caseworker"])
    event = AuditEvent.objects.get()
    assert (event.action, event.basis, event.subjects) == ("CREATE_USER", "command", [])
    assert event.details == {"user": "aino", "roles": "caseworker"}


@pytest.mark.parametrize(
    ("username", "password", "words"),
    [
        ("", PASSWORD, "blank"),
        ("a b", PASSWORD, "valid username"),
        ("TAKEN", "x", "too short"),
        ("taken", PASSWORD, "already exists"),
        ("a" * 151, PASSWORD, "150"),
        ("aino", "", "too short"),
        ("aino", "kaksitoista", "too short"),
    ],
)
def test_a_bad_name_or_password_is_refused_in_words(username: str, password: str, words: str) -> None:
    UserFactory.create(username="taken")
    with translation.override("en"), pytest.raises(Refused, match=words):
        users.create(clerk, username, password, [])
    assert User.objects.count() == 1
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("roles", [["caseworkr"], ["caseworker", "x"]])
def test_a_role_that_there_is_not_is_refused(roles: list[str]) -> None:
    with pytest.raises(Refused, match="no role"):
        users.create(clerk, "aino", PASSWORD, roles)
    assert not User.objects.exists()


def test_without_the_role_there_is_no_first_administrator() -> None:
    Role.objects.filter(name="administrator").delete()
    with pytest.raises(Refused, match="no role administrator"):
        users.create_administrator(clerk, "bertta", PASSWORD)
    assert not User.objects.exists()


def test_the_first_administrator_and_no_second_one() -> None:
    assert not users.administrator_exists()
    made = users.create_administrator(clerk, "bertta", PASSWORD)
    assert users.administrator_exists()
    assert [role.name for role in made.groups.all()] == ["administrator"]
    with pytest.raises(Refused, match="already"):
        users.create_administrator(clerk, "toinen", PASSWORD)
    assert User.objects.get() == made


def test_somebody_with_another_role_or_not_in_use_is_no_administrator() -> None:
    UserFactory.create(roles=[role for role in ROLES if role != "administrator"], is_superuser=True)
    UserFactory.create(roles=["administrator"], is_active=False)
    assert not users.administrator_exists()


def test_an_administrator_by_the_sign_in_service_does_not_bar_the_way_back_in() -> None:
    """That service may be away (docs/adr/0017)."""
    UserFactory.create(roles=["administrator"], issuer="https://login.example.fi", sub="s-1")
    assert users.create_administrator(clerk, "bertta", PASSWORD).issuer == ""


@pytest.mark.django_db(transaction=True)
def test_of_two_who_make_the_first_administrator_at_once_one_is_refused() -> None:
    both = Barrier(2)

    def make(username: str) -> bool:
        try:
            both.wait(10)
            users.create_administrator(clerk, username, PASSWORD)
        except Refused:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(make, ["aino", "bertta"])) == [False, True]
    assert User.objects.count() == 1
