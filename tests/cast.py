"""The people of the tests: two units with a service each, and who works there (domain.md H52).

Aino is a caseworker of unit A, Bertta an administrator, Celia a caseworker of unit B, Daniel a handler of protected
clients in unit A, Eeva an auditor, Gunnar a crisis worker. ``clerk`` is a command at the server's prompt.
"""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group as Role

from registry.models import Service, Unit, User
from registry.policies import Access, create_roles
from tests.factories import DataPermitFactory, ServiceFactory, UnitFactory, UserFactory


@pytest.fixture
def roles(db: None) -> None:
    """The roles, also after a test that emptied the tables."""
    if not Role.objects.filter(name="auditor").exists():
        create_roles()


@pytest.fixture
def permit(db: None) -> None:
    """A permit of all groups is in force."""
    DataPermitFactory.create()


@pytest.fixture
def unit_a(db: None) -> Unit:
    return UnitFactory.create(code="A", name_fi="Kotihoito", name_sv="Hemvård", name_en="Home care")


@pytest.fixture
def unit_b(db: None) -> Unit:
    return UnitFactory.create(code="B", name_fi="Kuntoutus", name_sv="Rehabilitering", name_en="Rehabilitation")


@pytest.fixture
def service_a(unit_a: Unit) -> Service:
    return ServiceFactory.create(code="KOTI", unit=unit_a)


@pytest.fixture
def service_b(unit_b: Unit) -> Service:
    return ServiceFactory.create(code="KUNTO", unit=unit_b)


@pytest.fixture
def aino(roles: None, unit_a: Unit) -> User:
    return UserFactory.create(username="aino", roles=["caseworker"], units=[unit_a])


@pytest.fixture
def bertta(roles: None) -> User:
    return UserFactory.create(username="bertta", roles=["administrator"])


@pytest.fixture
def celia(roles: None, unit_b: Unit) -> User:
    return UserFactory.create(username="celia", roles=["caseworker"], units=[unit_b])


@pytest.fixture
def daniel(roles: None, unit_a: Unit) -> User:
    return UserFactory.create(username="daniel", roles=["handler"], units=[unit_a])


@pytest.fixture
def eeva(roles: None) -> User:
    return UserFactory.create(username="eeva", roles=["auditor"])


@pytest.fixture
def gunnar(roles: None) -> User:
    """A crisis worker on duty, of no unit."""
    return UserFactory.create(username="gunnar", roles=["emergency"])


def access(user: User | None) -> Access:
    """The user's access, as a request would make it."""
    return Access(user, "test", "127.0.0.1")


clerk = Access(None, "command")
