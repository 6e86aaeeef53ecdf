from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import translation
from django_q.models import OrmQ

from registry import policies
from registry.clock import today
from registry.models import AuditEvent, Clientship, EndReason, ErasureReceipt, Person, Service, User
from registry.services import clients, erasure
from registry.services.errors import Refused
from tests.cast import access, clerk
from tests.factories import (
    AppliedChangeFactory,
    ClientshipFactory,
    PersonFactory,
    ProviderFactory,
    ServiceFactory,
    answered,
    code_of,
    new_code,
)

pytestmark = pytest.mark.django_db
START = date(2026, 1, 1)


def add(user: User | None, service: Service, **more: object) -> Clientship:
    """Adds a client. VTJ has answered about whom the user sees by it."""
    arguments = {"hetu": new_code(), "service": service, "start": START} | more
    return answered(clients.add(access(user), **arguments))  # type: ignore[arg-type]


def last_event() -> AuditEvent:
    event = AuditEvent.objects.order_by("-id").first()
    assert event is not None
    return event


def test_a3_a_new_client_awaits_basic_data_which_is_asked_for_at_once(aino: User, service_a: Service) -> None:
    made = add(aino, service_a, reference="  A-17 ")
    assert (made.person.status, made.reference, made.end) == ("AWAITING", "A-17", None)
    assert OrmQ.objects.count() == 1
    event = last_event()
    assert (event.action, event.subjects, event.username) == ("ADD_CLIENT", [made.person.subject], "aino")
    assert event.details == {"service": "KOTI"}


def test_a1_a_future_start_is_not_asked_about_yet(aino: User, service_a: Service) -> None:
    add(aino, service_a, start=today() + timedelta(days=30))
    assert not OrmQ.objects.exists()


def test_a_person_known_by_a_former_code_is_the_same_person(aino: User, service_a: Service) -> None:
    person, former = PersonFactory.create(), new_code()
    person.codes.create(hetu=former, current=False)
    assert add(aino, service_a, hetu=former).person == person


def test_h52_a_client_is_added_to_the_services_of_ones_own_units_only(
    aino: User, celia: User, eeva: User, service_a: Service
) -> None:
    for user in (celia, eeva):
        with pytest.raises(PermissionDenied):
            add(user, service_a)
    assert not Person.objects.exists()
    assert not AuditEvent.objects.exists()


def test_what_cannot_be_added_is_refused_in_words(aino: User, service_a: Service) -> None:
    made = add(aino, service_a)
    code = code_of(made.person)
    for more, words in (
        ({"hetu": code, "start": START + timedelta(days=1)}, "client of this service already"),
        ({"hetu": code}, "from the same day"),
        ({"provider": ProviderFactory.create()}, "does not produce"),
        ({"start": date(1926, 1, 1)}, "too far in the past"),
        ({"start": date(9999, 12, 31)}, "Check the year"),
    ):
        with pytest.raises(Refused) as refused:
            add(aino, service_a, **more)
        with translation.override("en"):
            assert words in str(refused.value)
            assert code not in str(refused.value)
    assert Clientship.objects.count() == 1


def test_g46_to_learn_that_somebody_is_a_client_by_adding_leaves_an_event(
    aino: User, daniel: User, service_a: Service
) -> None:
    person = PersonFactory.create()
    ClientshipFactory.create(person=person, service=service_a, start=START)
    with pytest.raises(Refused):
        add(aino, service_a, hetu=code_of(person))
    Person.objects.update(protected=True)
    add(aino, service_a, hetu=code_of(person))
    with pytest.raises(Refused):
        add(daniel, service_a, hetu=code_of(person))
    events = AuditEvent.objects.order_by("id").values_list("action", "outcome", "username", "subjects")
    assert list(events) == [("ADD_CLIENT", "refused", name, [person.subject]) for name in ("aino", "aino", "daniel")]


def test_a_new_clientship_may_follow_one_that_ends(aino: User, service_a: Service) -> None:
    first = add(aino, service_a)
    clients.end(access(aino), first, end=today(), reason=EndReason.MOVED)
    with pytest.raises(Refused):
        add(aino, service_a, hetu=code_of(first.person), start=today())
    assert add(aino, service_a, hetu=code_of(first.person), start=today() + timedelta(days=1)).pk


def test_the_provider_must_produce_the_service(aino: User, service_a: Service) -> None:
    producer = ProviderFactory.create()
    service_a.providers.add(producer)
    assert add(aino, service_a, provider=producer).provider == producer


def test_e38_a_protected_person_is_added_without_a_word_and_goes_to_the_handlers(
    aino: User, daniel: User, service_a: Service
) -> None:
    person = PersonFactory.create(protected=True)
    made = add(aino, service_a, hetu=code_of(person))
    again = add(aino, service_a, hetu=code_of(person), start=START + timedelta(days=9))
    assert again == made
    assert not policies.clientships(access(aino)).exists()
    assert policies.clientships(access(daniel)).get() == made
    with pytest.raises(PermissionDenied):
        clients.end(access(aino), made, end=today(), reason=EndReason.MOVED)
    assert clients.end(access(daniel), made, end=today(), reason=EndReason.MOVED).end == today()


def test_f42_the_end_is_dated_reasoned_and_can_be_taken_back(aino: User, celia: User, service_a: Service) -> None:
    made = add(aino, service_a)
    with pytest.raises(PermissionDenied):
        clients.end(access(celia), made, end=today(), reason=EndReason.MOVED)
    with pytest.raises(Refused):
        clients.end(access(aino), made, end=START - timedelta(days=1), reason=EndReason.MOVED)
    with pytest.raises(Refused):
        clients.end(access(aino), made, end=date(9999, 12, 31), reason=EndReason.MOVED)
    with pytest.raises(Refused):
        clients.take_back_end(access(aino), made)
    ended = clients.end(access(aino), made, end=today(), reason=EndReason.MOVED)
    assert (ended.end, ended.end_reason, ended.ended_by) == (today(), "MOVED", aino)
    with pytest.raises(Refused):
        clients.end(access(aino), made, end=today(), reason=EndReason.DIED)
    with pytest.raises(PermissionDenied):
        clients.take_back_end(access(celia), made)
    back = clients.take_back_end(access(aino), made)
    assert (back.end, back.end_reason, back.ended_at, back.ended_by) == (None, None, None, None)
    actions = list(AuditEvent.objects.order_by("id").values_list("action", flat=True))
    assert actions == ["ADD_CLIENT", "END_CLIENTSHIP", "TAKE_BACK_END"]


def test_f42_an_end_is_not_taken_back_beside_a_newer_clientship(service_a: Service) -> None:
    ended = ClientshipFactory.create(service=service_a, end=START)
    ClientshipFactory.create(service=service_a, person=ended.person, start=START + timedelta(days=1))
    with pytest.raises(Refused):
        clients.take_back_end(clerk, ended)


def test_f42_after_the_erasure_there_is_nothing_to_take_back(aino: User, service_a: Service) -> None:
    made = add(aino, service_a)
    clients.end(access(aino), made, end=today(), reason=EndReason.MOVED)
    erasure.run(clerk, today() + timedelta(days=1))
    with pytest.raises(PermissionDenied):
        clients.take_back_end(access(aino), made)


def test_f42_the_preview_tells_what_will_go_and_when(aino: User, celia: User, service_a: Service) -> None:
    made = add(aino, service_a, reference="A-17")
    AppliedChangeFactory.create_batch(2, person=made.person)
    end = today() + timedelta(days=10)
    whole = clients.erasure_preview(access(aino), made, end)
    assert (whole.erased_on, whole.whole_person, whole.reference, whole.history) == (
        end + timedelta(days=1),
        True,
        True,
        True,
    )
    assert whole.rows == {
        "registry_person": 1,
        "registry_personcode": 1,
        "registry_clientship": 1,
        "registry_appliedchange": 2,
    }
    # F43: an end in the past is due on the next day.
    assert clients.erasure_preview(access(aino), made, START).erased_on == today() + timedelta(days=1)
    with pytest.raises(PermissionDenied):
        clients.erasure_preview(access(celia), made, end)


def test_f42_the_preview_of_somebody_who_stays(aino: User, service_a: Service) -> None:
    made = add(aino, service_a)
    other = ClientshipFactory.create(person=made.person, service__unit=service_a.unit)
    preview = clients.erasure_preview(access(aino), made, today())
    assert (preview.whole_person, preview.rows, preview.history) == (False, {"registry_clientship": 1}, False)
    assert preview.erased_on == today() + timedelta(days=30)
    clients.end(clerk, other, end=today() + timedelta(days=60), reason=EndReason.MOVED)
    assert clients.erasure_preview(access(aino), made, today()).erased_on == today() + timedelta(days=61)


def test_h55_not_the_person_erases_at_once_and_leaves_its_event(aino: User, service_a: Service) -> None:
    made = add(aino, service_a)
    subject = made.person.subject
    clients.mistaken(access(aino), made)
    assert not Person.objects.exists()
    assert ErasureReceipt.objects.get().whole_person
    assert set(AuditEvent.objects.filter(subjects__contains=[subject]).values_list("action", flat=True)) == {
        "ADD_CLIENT",
        "NOT_THE_PERSON",
        "ERASE",
    }


def test_h55_a_person_who_was_there_before_stays(aino: User, service_a: Service) -> None:
    before = ClientshipFactory.create(service=ServiceFactory.create())
    made = add(aino, service_a, hetu=code_of(before.person))
    clients.mistaken(access(aino), made)
    assert Clientship.objects.get() == before


def test_f43_a_mistake_of_yesterday_is_not_erased_in_the_click(aino: User, celia: User, service_a: Service) -> None:
    made = add(aino, service_a)
    with pytest.raises(PermissionDenied):
        clients.mistaken(access(celia), made)
    Clientship.objects.update(created_at=made.created_at - clients.MISTAKE - timedelta(minutes=1))
    with pytest.raises(Refused):
        clients.mistaken(access(aino), made)
    assert Person.objects.exists()
