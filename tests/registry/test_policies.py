from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Permission
from django.contrib.auth.models import Group as Role
from django.core.exceptions import PermissionDenied

from registry import policies
from registry.models import Service, Unit, User
from registry.policies import ROLES, Access
from tests.cast import access, clerk
from tests.factories import ClientshipFactory, PersonFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_h52_a_caseworker_sees_the_clients_of_the_own_unit_only(
    aino: User, celia: User, service_a: Service, service_b: Service
) -> None:
    ours = ClientshipFactory.create(service=service_a)
    both = ClientshipFactory.create(service=service_a)
    theirs = ClientshipFactory.create(service=service_b, person=both.person)
    assert set(policies.persons(access(aino))) == {ours.person, both.person}
    assert set(policies.persons(access(celia))) == {both.person}
    assert set(policies.clientships(access(celia))) == {theirs}
    assert set(policies.services(access(celia))) == {service_b}


def test_h52_who_works_in_two_units_sees_a_clientship_once(aino: User, unit_b: Unit, service_a: Service) -> None:
    aino.units.add(unit_b)
    ClientshipFactory.create(service=service_a)
    assert policies.clientships(access(aino)).count() == 1


def test_e38_protected_persons_are_seen_by_handlers_only(aino: User, daniel: User, service_a: Service) -> None:
    protected = ClientshipFactory.create(service=service_a, person=PersonFactory.create(protected=True))
    assert not policies.persons(access(aino)).exists()
    assert set(policies.clientships(access(daniel))) == {protected}


def test_h52_administrators_and_auditors_see_no_client(
    bertta: User, eeva: User, unit_a: Unit, service_a: Service
) -> None:
    ClientshipFactory.create(service=service_a)
    for user in (bertta, eeva):
        user.units.add(unit_a)
        assert not policies.persons(access(user)).exists()
        assert not policies.services(access(user)).exists()


def test_being_a_superuser_gives_no_right(roles: None, unit_a: Unit, service_a: Service) -> None:
    root = UserFactory.create(is_superuser=True, is_staff=True, units=[unit_a])
    ClientshipFactory.create(service=service_a)
    assert not policies.persons(access(root)).exists()
    with pytest.raises(PermissionDenied):
        access(root).require(policies.SEE_AUDIT_LOG)


def test_an_account_that_is_closed_has_no_right(aino: User) -> None:
    aino.is_active = False
    assert not access(aino).may(policies.SEE_CLIENTS)


def test_a_command_has_every_right() -> None:
    assert all(clerk.may(right) for rights in ROLES.values() for right in rights)


def test_a_role_that_was_changed_by_hand_stays_so(roles: None) -> None:
    Role.objects.get(name="auditor").permissions.clear()
    policies.create_roles()
    assert not Access(UserFactory.create(roles=["auditor"]), "test").may(policies.SEE_AUDIT_LOG)


def test_a_right_that_an_upgrade_brings_comes_to_the_roles_that_are_there_already(roles: None) -> None:
    Permission.objects.filter(codename="see_openings").delete()
    policies.create_roles()
    assert Access(UserFactory.create(roles=["supervisor"]), "test").may(policies.SEE_OPENINGS)


def test_g46_nobody_asks_without_a_name_and_a_purpose(aino: User) -> None:
    with pytest.raises(ValueError, match="purpose"):
        Access(aino, " ")
    with pytest.raises(TypeError, match="user"):
        Access(AnonymousUser(), "test")  # type: ignore[arg-type]


@pytest.mark.parametrize("asked", [policies.clientships, policies.awaited, policies.persons, policies.pairs])
def test_g46_no_rows_without_an_access(aino: User, asked: Callable[[Any], object]) -> None:
    for nobody in (aino, None, AnonymousUser()):
        with pytest.raises(AttributeError):
            asked(nobody)
