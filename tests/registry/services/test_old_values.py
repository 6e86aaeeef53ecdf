"""After thirteen months the values of an applied change go, and the fact remains (domain.md G48)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from registry.models import AppliedChange, AuditEvent, Clientship, Service, User
from registry.selectors import client
from registry.services import erasure
from tests.cast import access, clerk
from tests.factories import AppliedChangeFactory, ClientshipFactory, PersonFactory

pytestmark = pytest.mark.django_db
DAY = date(2026, 6, 15)
# The Helsinki midnight thirteen months before, as a moment.
LIMIT = datetime(2025, 5, 14, 21, 0, tzinfo=UTC)


def applied(at: datetime, **more: object) -> AppliedChange:
    change = AppliedChangeFactory.create(**more)
    AppliedChange.objects.filter(pk=change.pk).update(applied_at=at)
    return change


def values(change: AppliedChange) -> tuple[str | None, str | None]:
    change.refresh_from_db()
    return change.old_value, change.new_value


def test_g48_the_values_go_on_the_day_and_the_fact_remains() -> None:
    person = ClientshipFactory.create().person
    old = applied(LIMIT - timedelta(seconds=1), person=person, run=7)
    young = applied(LIMIT, person=person)
    before = (old.field, old.source, old.changed_at, old.run)
    report = erasure.run(clerk, DAY)
    assert values(old) == (None, None)
    assert (old.field, old.source, old.changed_at, old.run) == before
    assert values(young) == ("Vanha", "Uusi")
    assert report.rows["registry_appliedchange"] == 1
    event = AuditEvent.objects.get()
    assert (event.action, event.details) == ("FORGET_VALUES", {"changes": 1})


def test_g48_what_has_gone_is_not_looked_at_again() -> None:
    applied(LIMIT - timedelta(days=1), person=ClientshipFactory.create().person)
    erasure.run(clerk, DAY)
    assert erasure.run(clerk, DAY).rows["registry_appliedchange"] == 0
    assert AuditEvent.objects.count() == 1


def test_g48_the_setting_says_how_many_months(settings: Settings) -> None:
    settings.APPLIED_CHANGE_MONTHS = 1
    old = applied(datetime(2026, 5, 14, tzinfo=UTC), person=ClientshipFactory.create().person, field="home")
    erasure.run(clerk, DAY)
    assert values(old) == (None, None)


def test_g48_the_page_says_that_the_values_are_not_kept(aino: User, service_a: Service) -> None:
    person = ClientshipFactory.create(service=service_a, person=PersonFactory.create(home=True)).person
    Clientship.objects.update(created_at=LIMIT - timedelta(days=2))
    applied(LIMIT - timedelta(days=1), person=person)
    erasure.run(clerk, DAY)
    page = client.viewed(access(aino), person.subject)
    assert page is not None
    assert [(one.kept, one.old, one.new) for one in page.changes] == [(False, "", "")]


def test_g48_thousands_go_in_batches(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    person = ClientshipFactory.create().person
    one = AppliedChangeFactory.build(person=person)
    rows = {name: getattr(one, name) for name in ("field", "old_value", "new_value", "source", "changed_at")}
    every = [AppliedChange(person=person, **rows) for _ in range(12_000)]
    AppliedChange.objects.bulk_create(every, batch_size=2000)
    AppliedChange.objects.update(applied_at=LIMIT - timedelta(days=1))
    with django_assert_max_num_queries(60):
        erasure.run(clerk, DAY)
    assert not AppliedChange.objects.exclude(old_value=None, new_value=None).exists()
    assert AppliedChange.objects.count() == 12_000
