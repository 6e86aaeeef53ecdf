"""Persons, clientships and staff for tests. Codes are test codes that no other call gives; nothing is random."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import count
from typing import Any

import factory
from django.contrib.auth.models import Group as Role
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from factory.django import DjangoModelFactory

from registry.hetu import Hetu, compose
from registry.models import (
    AppliedChange,
    Authority,
    Clientship,
    DataPermit,
    EmergencyAccess,
    ForeignAddress,
    Opening,
    OpeningReason,
    Person,
    PersonCode,
    PersonStatus,
    Problem,
    ProblemKind,
    Provider,
    Service,
    SubjectCode,
    Unit,
    User,
)
from registry.names import name_key
from registry.record import Group
from registry.services import audit_keys, persons
from registry.services.audit import code_hash

PASSWORD = "only-for-tests"
LONG_AGO = date(2020, 1, 1)
_serial = count()


def new_code() -> Hetu:
    """A valid test code that no other call has given in this process."""
    serial = next(_serial)
    return compose(date(1930, 1, 1) + timedelta(days=serial // 90), 900 + serial % 90, "-")


class AuthorityFactory(DjangoModelFactory[Authority]):
    class Meta:
        model = Authority

    business_id = "0101263-6"
    name_fi = "Mallila"


class DataPermitFactory(DjangoModelFactory[DataPermit]):
    """A permit of all groups, from long ago on."""

    class Meta:
        model = DataPermit

    number = factory.Sequence(lambda n: f"DVV/{n}/2020")
    purpose = "Asiakasrekisterin ylläpito"
    legal_basis = "Laki väestötietojärjestelmästä"
    groups = [str(group) for group in Group]
    valid_from = LONG_AGO


class UnitFactory(DjangoModelFactory[Unit]):
    class Meta:
        model = Unit

    code = factory.Sequence(lambda n: f"U{n}")
    name_fi = factory.LazyAttribute(lambda unit: f"Yksikkö {unit.code}")
    name_sv = factory.LazyAttribute(lambda unit: f"Enhet {unit.code}")
    name_en = factory.LazyAttribute(lambda unit: f"Unit {unit.code}")


class ProviderFactory(DjangoModelFactory[Provider]):
    class Meta:
        model = Provider

    business_id = "0101263-6"
    name = "Hoiva Oy"


class ServiceFactory(DjangoModelFactory[Service]):
    class Meta:
        model = Service
        skip_postgeneration_save = True

    code = factory.Sequence(lambda n: f"S{n}")
    name_fi = factory.LazyAttribute(lambda service: f"Palvelu {service.code}")
    name_sv = factory.LazyAttribute(lambda service: f"Tjänst {service.code}")
    name_en = factory.LazyAttribute(lambda service: f"Service {service.code}")
    kind = Service.Kind.VOUCHER
    unit = factory.SubFactory(UnitFactory)

    @factory.post_generation
    def providers(self: Service, create: bool, extracted: Any, **_: Any) -> None:
        if create and extracted:
            self.providers.set(extracted)


class PersonFactory(DjangoModelFactory[Person]):
    """Somebody whose basic data came just now, with a current code. ``hetu=…`` chooses the code, ``home=True`` gives an
    address and a home municipality."""

    class Meta:
        model = Person
        skip_postgeneration_save = True

    class Params:
        home = factory.Trait(
            home_street_fi="Mikkolantie",
            home_street_sv="Mickelsvägen",
            home_house_number="30",
            home_staircase="F",
            home_apartment="028",
            home_postal_code="00640",
            home_post_office_fi="HELSINKI",
            home_post_office_sv="HELSINGFORS",
            home_municipality_code="091",
            home_start=date(1992, 1, 1),
            home_start_precision=3,
            municipality_code="091",
            municipality_moved_in=date(1992, 1, 1),
            municipality_moved_in_precision=3,
        )
        awaiting = factory.Trait(
            status=PersonStatus.AWAITING, first_names=None, last_name=None, language_code=None, checked_at=None
        )

    status = PersonStatus.CURRENT
    first_names = "Hanna Maria"
    last_name = factory.Sequence(lambda n: f"Kolehmainen-{n}")
    name_key = factory.LazyAttribute(lambda person: name_key(person.last_name, person.first_names))
    language_code = "fi"
    basic_data_at = factory.LazyFunction(timezone.now)
    checked_at = factory.LazyFunction(timezone.now)

    @factory.post_generation
    def hetu(self: Person, create: bool, extracted: Hetu | None, **_: Any) -> None:
        if create:
            code = extracted or new_code()
            PersonCode.objects.create(person=self, hetu=code)
            SubjectCode.objects.create(code_hash=code_hash(code), subject=self.subject, key_id=audit_keys.current().id)


class ClientshipFactory(DjangoModelFactory[Clientship]):
    """An open clientship from long ago, of a person and a service of their own unless given."""

    class Meta:
        model = Clientship

    person = factory.SubFactory(PersonFactory)
    service = factory.SubFactory(ServiceFactory)
    start = LONG_AGO


class ForeignAddressFactory(DjangoModelFactory[ForeignAddress]):
    class Meta:
        model = ForeignAddress

    person = factory.SubFactory(PersonFactory)
    street = "Kungsgatan 1"
    locality = "111 43 STOCKHOLM"
    country_code = "752"
    start = date(2020, 1, 24)
    start_precision = 3


class ProblemFactory(DjangoModelFactory[Problem]):
    """An open problem. Two entries of one person are a pair of them: :func:`pair`."""

    class Meta:
        model = Problem

    person = factory.SubFactory(PersonFactory)
    kind = ProblemKind.NOT_FOUND
    unit = factory.LazyAttribute(lambda problem: UnitFactory.create() if problem.kind == ProblemKind.HANDOVER else None)
    pair_protected = factory.LazyAttribute(lambda problem: problem.person.protected if problem.other else None)
    other = None


class AppliedChangeFactory(DjangoModelFactory[AppliedChange]):
    class Meta:
        model = AppliedChange

    person = factory.SubFactory(PersonFactory)
    field = "last_name"
    old_value = "Vanha"
    new_value = "Uusi"
    source = AppliedChange.Source.CHANGE
    changed_at = factory.LazyFunction(timezone.now)


class UserFactory(DjangoModelFactory[User]):
    """A member of staff: ``roles=["caseworker"]``, ``units=[unit]``. The password is :data:`PASSWORD`."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user{n}")
    first_name = factory.LazyAttribute(lambda user: user.username.capitalize())
    last_name = "Esimerkki"

    @factory.post_generation
    def password(self: User, create: bool, extracted: str | None, **_: Any) -> None:
        self.set_password(extracted or PASSWORD)
        if create:
            self.save(update_fields=["password"])

    @factory.post_generation
    def roles(self: User, create: bool, extracted: list[str] | None, **_: Any) -> None:
        if create and extracted:
            self.groups.set(Role.objects.filter(name__in=extracted))

    @factory.post_generation
    def units(self: User, create: bool, extracted: list[Unit] | None, **_: Any) -> None:
        if create and extracted:
            self.units.set(extracted)


def crowd(service: Service, size: int, **clientship: Any) -> list[int]:
    """So many persons awaiting basic data with a clientship like that each, in a few statements. Returns their ids."""
    with transaction.atomic():
        made = list(persons.find_or_create([new_code() for _ in range(size)]).values())
        start = clientship.pop("start", LONG_AGO)
        Clientship.objects.bulk_create(
            [Clientship(person_id=one, service=service, start=start, **clientship) for one in made], batch_size=1000
        )
    return made


def pair(survivor: Person, other: Person, **more: Any) -> tuple[Problem, Problem]:
    """The problem that two entries are one person, open from both sides; VTJ's active code is the survivor's."""
    return (
        ProblemFactory.create(kind=ProblemKind.TWO_ENTRIES, person=survivor, other=other, survives=True, **more),
        ProblemFactory.create(kind=ProblemKind.TWO_ENTRIES, person=other, other=survivor, survives=False, **more),
    )


def opened(user: User, *persons: Person) -> None:
    """The user has given a reason for opening the protected persons' pages."""
    for person in persons:
        Opening.objects.create(person=person, user=user, username=user.username, reason=OpeningReason.SERVICE)


def emergency(user: User, person: Person, **more: Any) -> EmergencyAccess:
    """The user may read the person's page for an hour."""
    told = {"username": user.username, "reason": "Kadonnut.", "until": Now() + timedelta(hours=1)}
    return EmergencyAccess.objects.create(person=person, user=user, **(told | more))


def answered(made: Clientship) -> Clientship:
    """What was added by hand, after VTJ's answer about the person: until then nobody sees the person by it (E38)."""
    Clientship.objects.filter(pk=made.pk).update(awaits_since=None)
    made.awaits_since = None
    return made


def code_of(person: Person) -> Hetu:
    """The current code."""
    return Hetu(PersonCode.objects.get(person=person, current=True).hetu)
