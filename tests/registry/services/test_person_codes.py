"""The codes of persons: one is current, always (domain.md D28)."""

from __future__ import annotations

import pytest
from django.db import transaction

from registry.models import PersonCode
from registry.services import codes
from registry.services.codes import Taken
from tests.factories import PersonFactory, code_of, new_code

pytestmark = pytest.mark.django_db


def test_d28_a_code_that_somebody_else_got_meanwhile_takes_nobodys_current_one() -> None:
    person, other = PersonFactory.create(), PersonFactory.create()
    for active, former in (({person.pk: code_of(other)}, {}), ({person.pk: new_code()}, {code_of(other): person.pk})):
        with pytest.raises(Taken), transaction.atomic():
            codes.replace_codes(active, former)
    assert PersonCode.objects.filter(person=person).count() == 1
    assert codes.current([person.pk, other.pk]) == {person.pk: code_of(person), other.pk: code_of(other)}
