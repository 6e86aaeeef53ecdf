"""Who may not see a protected client, or a client of another unit, learns by no route that there is one (E38, H52).

Aino works in unit A and Celia in unit B, neither with protected clients; Daniel handles those of unit A.
"""

from __future__ import annotations

import io
import re
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from registry import policies
from registry.clock import today
from registry.hetu import Hetu
from registry.models import AuditEvent, Clientship, ErasureReceipt, Person, Problem, ProblemKind, Service, User
from registry.selectors import audit_log
from registry.selectors import clients as lists
from registry.services import awaited, clients, export, imports, mismatches
from registry.services.export import Options
from tests.cast import access, clerk
from tests.factories import (
    AppliedChangeFactory,
    ClientshipFactory,
    PersonFactory,
    ProblemFactory,
    UserFactory,
    code_of,
    new_code,
    opened,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("permit")]

REFERENCE = "PS-SALA-17"
NAME = "Salaniemi"


@pytest.fixture
def hidden(service_a: Service) -> Person:
    """A protected client of unit A, who was Aino's."""
    made: Person = PersonFactory.create(protected=True, last_name=NAME, name_key="salaniemi hanna")
    ClientshipFactory.create(person=made, service=service_a, reference=REFERENCE)
    return made


def of_unit(service: Service, **more: object) -> Person:
    made: Person = PersonFactory.create(**more)
    ClientshipFactory.create(person=made, service=service)
    return made


# --- lists, counts, search, links


@pytest.mark.parametrize("user", ["aino", "celia"])
def test_e38_no_list_search_or_worklist_has_a_protected_client(
    request: pytest.FixtureRequest, client: Client, hidden: Person, user: str
) -> None:
    ProblemFactory.create(person=hidden)
    ProblemFactory.create(person=hidden, kind="HANDOVER", unit=hidden.clientships.get().service.unit)
    Person.objects.filter(pk=hidden.pk).update(deceased=True)
    client.force_login(request.getfixturevalue(user))
    pages = [client.get(reverse(name)) for name in ("clients", "client-deceased", "problems")]
    pages += [client.post(reverse("client-search"), {"q": words}) for words in (NAME, code_of(hidden), "sala")]
    for page in pages:
        text = page.content.decode()
        assert page.status_code == 200
        for word in (str(hidden.subject), REFERENCE, "<tbody>", 'class="count"', "odottaa</span>"):
            assert word not in text
        assert text.count(NAME) <= 1  # what was searched for stands in its box


def test_e38_handlers_have_the_client_in_all_of_them(client: Client, hidden: Person, daniel: User) -> None:
    client.force_login(daniel)
    for page in (client.get(reverse("clients")), client.post(reverse("client-search"), {"q": code_of(hidden)})):
        assert str(hidden.subject) in page.content.decode()


def test_e38_the_free_text_is_read_by_nobody_else(client: Client, hidden: Person, daniel: User) -> None:
    opened(daniel, hidden)
    client.force_login(daniel)
    assert REFERENCE in client.get(reverse("client", args=[hidden.subject])).content.decode()


def test_e38_a_link_tells_former_colleagues_that_it_moved_and_others_nothing(
    request: pytest.FixtureRequest, client: Client, hidden: Person, aino: User, celia: User
) -> None:
    address, nobody = (reverse("client", args=[one]) for one in (hidden.subject, uuid4()))
    client.force_login(aino)
    moved = client.get(address)
    assert moved.status_code == 403
    assert "turvakiellon alaisten asiakkaiden käsittelij" in moved.content.decode()
    for word in (NAME, REFERENCE, code_of(hidden)[:6]):
        assert word not in moved.content.decode()
    client.force_login(celia)
    assert bare(client.get(address)) == bare(client.get(nobody))
    for user in ("bertta", "eeva"):
        client.force_login(request.getfixturevalue(user))
        assert bare(client.get(address)) == bare(client.get(nobody))
    (number,) = hidden.clientships.values_list("pk", flat=True)
    client.force_login(aino)
    for name in ("clientship-end", "clientship-take-back"):
        assert client.post(reverse(name, args=[number])).status_code == 404
    assert client.get(reverse("client-open", args=[hidden.subject])).status_code == 403


def test_e38_a_page_after_somebody_hidden_is_the_first_page(hidden: Person, service_a: Service, aino: User) -> None:
    # Else where it begins would tell where the name stands.
    first, last = (of_unit(service_a, name_key=key) for key in ("aho", "öhman"))
    for turn in (hidden.subject, uuid4()):
        for page in (lists.listed(access(aino), after=turn), lists.listed(access(aino), before=turn)):
            assert [row.subject for row in page.rows] == [first.subject, last.subject]


# --- adding: somebody new, a client of another unit, and a protected one are alike


def bare(answer: HttpResponse) -> tuple[int, str]:
    """The answer without what differs from one to the next anyway."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", answer.content.decode())
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "TOKEN", text)
    text = re.sub(r"\d+\.\d+\.\d{4} \d+\.\d\d", "TIME", text)
    return answer.status_code, text


def added(client: Client, code: Hetu, service: Service, start: str) -> list[object]:
    """Everything that the pages tell after the code has been added, while VTJ has not answered."""
    told = {"hetu": code, "service": service.pk, "start": start, "reference": "PS-2"}
    answer = client.post(reverse("client-add"), told)
    subject = answer["Location"].split("/")[2]
    pages = [client.get(reverse(name, args=[subject])) for name in ("client-check", "client-waiting", "client")]
    pages += [client.get(reverse("clients")), client.get(reverse("problems")), client.get(reverse("client-add"))]
    pages += [client.post(reverse("client-code", args=[subject]))]
    pages += [client.post(reverse("client-search"), {"q": words}) for words in (NAME, "muu")]
    found = [answer["Location"].replace(subject, "ID"), *map(bare, pages)]
    found.append(OrmQ.objects.count())
    OrmQ.objects.all().delete()
    return found


def known(kind: str, service_a: Service, service_b: Service) -> Person | None:
    """Somebody whom the register knows already, in one way or another."""
    if kind == "new":
        return None
    person: Person = PersonFactory.create(
        last_name=NAME, protected="protected" in kind, status="NOT_FOUND" if "lost" in kind else "CURRENT"
    )
    if "lost" in kind:
        ProblemFactory.create(person=person)
    ClientshipFactory.create(person=person, service=service_b if "own unit" in kind else service_a)
    return person


KNOWN = ("new", "of another unit", "lost, of another unit", "protected, of another unit", "protected, of own unit")


@pytest.mark.parametrize("days", [0, 40])
def test_e38_adding_somebody_known_is_like_adding_somebody_new(
    client: Client, celia: User, service_a: Service, service_b: Service, days: int
) -> None:
    client.force_login(celia)
    start, seen = (today() + timedelta(days=days)).isoformat(), {}
    for kind in KNOWN:
        person = known(kind, service_a, service_b)
        code = code_of(person) if person else new_code()
        seen[kind] = added(client, code, service_b, start)
        made = Clientship.objects.get(person__codes__hetu=code, service=service_b)
        assert made.awaits_since is not None
        Problem.objects.all().delete()
        Clientship.objects.all().delete()
    for kind, told in seen.items():
        assert told == seen["new"], kind


@pytest.mark.parametrize("kind", ["new", "of another unit"])
def test_h55_when_vtj_has_answered_the_client_is_ones_own(
    client: Client, celia: User, service_a: Service, service_b: Service, kind: str
) -> None:
    client.force_login(celia)
    person = known(kind, service_a, service_b)
    code = code_of(person) if person else new_code()
    added(client, code, service_b, today().isoformat())
    person = Person.objects.get(codes__hetu=code)
    assert not policies.persons(access(celia)).exists()
    Clientship.objects.update(awaits_since=None)
    Person.objects.update(status="CURRENT", last_name=NAME)
    assert NAME in client.get(reverse("client-check", args=[person.subject])).content.decode()
    assert policies.persons(access(celia)).get() == person


@pytest.mark.parametrize("kind", ["new", "of another unit", "protected, of another unit", "protected, of own unit"])
def test_e38_taken_back_at_once_nobody_learns_what_was_there(
    client: Client, celia: User, service_a: Service, service_b: Service, kind: str
) -> None:
    client.force_login(celia)
    person = known(kind, service_a, service_b)
    before = list(Clientship.objects.values_list("pk", flat=True))
    code = code_of(person) if person else new_code()
    added(client, code, service_b, today().isoformat())
    subject = Person.objects.get(codes__hetu=code).subject
    answer = client.post(reverse("client-mistaken", args=[subject]), follow=True)
    assert answer.redirect_chain == [(reverse("client-add"), 302)]
    assert "poistettiin" in answer.content.decode()
    assert list(Clientship.objects.values_list("pk", flat=True)) == before


@pytest.mark.parametrize("days", [0, 2])
@pytest.mark.parametrize("kind", ["new", "of another unit", "protected, of another unit", "protected, of own unit"])
def test_e38_what_awaits_an_answer_is_taken_back_alike(
    client: Client, celia: User, service_a: Service, service_b: Service, kind: str, *, days: int
) -> None:
    client.force_login(celia)
    person = known(kind, service_a, service_b)
    before = list(Clientship.objects.values_list("pk", flat=True))
    code = code_of(person) if person else new_code()
    start = (today() + timedelta(days=40)).isoformat()
    told = {"hetu": code, "service": service_b.pk, "start": start, "reference": ""}
    client.post(reverse("client-add"), told)
    ago = timezone.now() - timedelta(days=days)
    Clientship.objects.filter(pk__in=before, awaits_since__isnull=False).update(awaits_since=ago)
    Clientship.objects.exclude(pk__in=before).update(awaits_since=ago, created_at=ago)
    answer = client.post(reverse("client-withdraw", args=[Person.objects.get(codes__hetu=code).subject]), follow=True)
    text = answer.content.decode()
    assert ("poistettiin" if days == 0 else "vahingossa lisättynä") in text
    assert Clientship.objects.filter(pk__in=before, end=None).count() == len(before)
    ends = list(Clientship.objects.exclude(pk__in=before).values_list("end", flat=True))
    assert ends == ([] if days == 0 or "own unit" in kind else [today() + timedelta(days=40)])


def test_e38_a_code_that_a_colleague_has_just_added_is_as_good_as_new(
    client: Client, celia: User, unit_b: object, service_b: Service
) -> None:
    code = new_code()
    colleague = UserFactory.create(roles=["caseworker"], units=[unit_b])
    clients.add(access(colleague), hetu=code, service=service_b, start=today())
    client.force_login(celia)
    answer = client.post(reverse("client-add"), {"hetu": code, "service": service_b.pk, "start": today().isoformat()})
    assert answer.status_code == 302
    assert Clientship.objects.count() == 1


# --- the end of a clientship, and what is due


def end_page(client: Client, clientship: Clientship, end: str) -> tuple[int, str]:
    told = {"end": end, "reason": "MOVED"}
    status, text = bare(client.post(reverse("clientship-end", args=[clientship.pk]), told))
    return status, re.sub(r"Kolehmainen-\d+|clientships/\d+", "", text)


@pytest.mark.parametrize("days", [-1, 40])
def test_e38_the_preview_of_an_end_says_nothing_of_other_units(
    client: Client, aino: User, service_a: Service, service_b: Service, days: int
) -> None:
    client.force_login(aino)
    shared: Person = PersonFactory.create()
    ClientshipFactory.create(person=shared, service=service_b, reference=REFERENCE)
    AppliedChangeFactory.create(person=shared, old_value="Aiempi")
    shared.codes.create(hetu=new_code(), current=False)
    ClientshipFactory.create(person=shared, service=service_a)
    alone = of_unit(service_a)
    ClientshipFactory.create(person=shared, service=service_b, start=today(), end=today() + timedelta(days=400))
    end = (today() + timedelta(days=days)).isoformat()
    pages = [end_page(client, one.clientships.get(service=service_a), end) for one in (alone, shared)]
    assert pages[0] == pages[1]
    for one in (alone, shared):
        clientship = one.clientships.get(service=service_a)
        clients.end(access(aino), clientship, end=today() + timedelta(days=days), reason="MOVED")  # type: ignore[arg-type]
    told = [bare(client.get(reverse("client", args=[one.subject])))[1] for one in (alone, shared)]
    assert "Aiempi" not in told[1]
    days_told = [re.findall(r"Poistetaan aikaisintaan</dt><dd class=\"numbers\">([\d.]+)", text) for text in told]
    assert days_told[0] == days_told[1] != []


def test_e38_not_the_person_says_nothing_of_other_units(aino: User, service_a: Service, service_b: Service) -> None:
    ways, done = [], []
    for elsewhere in (False, True):
        person = of_unit(service_a)
        problem = ProblemFactory.create(person=person, kind=ProblemKind.NAME_MISMATCH)
        mine = person.clientships.get().pk
        if elsewhere:
            ClientshipFactory.create(person=person, service=service_b)
        wrong = mismatches.preview(access(aino), problem, [mine])
        ways.append((wrong.way, wrong.erased_on))
        done.append(mismatches.not_the_person(access(aino), problem, [mine]))
        assert Person.objects.filter(pk=person.pk).exists() is elsewhere
        assert not Clientship.objects.filter(pk=mine).exists()
    assert ways[0] == ways[1]
    assert done[0] == done[1]
    assert [one.whole_person for one in ErasureReceipt.objects.order_by("pk")] == [True, False]


# --- imports and exports


def imported(user: User, *lines: str) -> dict[str, object]:
    head = "henkilotunnus;palvelu;alkupaiva;loppupaiva"
    report = imports.run(access(user), io.BytesIO("\n".join([head, *lines]).encode()), day=today(), dry_run=True)
    return {name: getattr(report, name) for name in ("added", "ended", "new_persons", "erased", "bad_count", "same")}


def test_e38_the_report_of_an_import_says_nothing_of_other_units(
    daniel: User, service_a: Service, service_b: Service
) -> None:
    theirs = [code_of(of_unit(service_b)), code_of(of_unit(service_b, protected=True))]
    reports = [imported(daniel, f"{code};KOTI;{today()};") for code in (*theirs, new_code())]
    assert reports[0] == reports[1] == reports[2]
    alone, shared = of_unit(service_a), of_unit(service_a)
    ClientshipFactory.create(person=shared, service=service_b)
    start = shared.clientships.first()
    assert start is not None
    ends = [imported(daniel, f"{code_of(one)};KOTI;2020-01-01;{today()}") for one in (alone, shared)]
    assert ends[0] == ends[1]
    assert ends[0]["erased"] == 1


def test_e38_an_import_and_protected_exports_take_the_handlers_right(
    aino: User, hidden: Person, tmp_path: Path
) -> None:
    with pytest.raises(PermissionDenied):
        imported(aino, f"{code_of(hidden)};KOTI;{today()};")
    aino.user_permissions.add(Permission.objects.get(codename="export_register"))
    aino = User.objects.get(pk=aino.pk)
    with pytest.raises(PermissionDenied):
        export.export(access(aino), tmp_path / "x", Options(protected=True))
    assert export.export(access(aino), tmp_path / "x", Options()) == 0
    assert (tmp_path / "x").read_bytes() == b""


# --- the audit log


def test_e38_the_log_does_not_tell_where_a_protected_person_is_served(
    client: Client, hidden: Person, aino: User, daniel: User, eeva: User
) -> None:
    clientship = hidden.clientships.get()
    Person.objects.update(protected=False)
    clients.end(access(daniel), clientship, end=today(), reason="MOVED")  # type: ignore[arg-type]
    client.force_login(eeva)
    assert "KOTI" in client.get(reverse("audit-log")).content.decode()
    Person.objects.update(protected=True)
    clients.take_back_end(access(daniel), clientship)
    clients.add(access(aino), hetu=code_of(hidden), service=clientship.service, start=today())
    pages = [
        client.get(reverse("audit-log")),
        client.post(reverse("audit-log-inquiry"), {"hetu": code_of(hidden)}),
    ]
    for page in pages:
        assert str(hidden.subject) in page.content.decode()
        assert "KOTI" not in page.content.decode()
    written = AuditEvent.objects.filter(action__in=["TAKE_BACK_END", "ADD_CLIENT"])
    assert [one.details for one in written] == [{}, {}]
    # What is not in the register any more may have been protected.
    clients.end(clerk, clientship, end=today(), reason="MOVED")  # type: ignore[arg-type]
    Clientship.objects.all().delete()
    hidden.codes.all().delete()
    Problem.objects.all().delete()
    hidden.delete()
    assert all("KOTI" not in row.details for row in audit_log.events(access(eeva)))


def test_a1_who_was_known_is_seen_when_the_clientship_begins(
    celia: User, service_a: Service, service_b: Service
) -> None:
    person = of_unit(service_a)
    start = today() + timedelta(days=3)
    clients.add(access(celia), hetu=code_of(person), service=service_b, start=start)
    awaited.begin(start)
    assert not policies.persons(access(celia)).exists()
    Person.objects.update(checked_at=timezone.now() + timedelta(seconds=1))
    awaited.begin(start - timedelta(days=1))
    assert not policies.persons(access(celia)).exists()
    awaited.begin(start)
    assert policies.persons(access(celia)).exists()


def test_e38_the_answer_is_called_for_and_logged_alike(celia: User, service_a: Service, service_b: Service) -> None:
    for kind in KNOWN[:3]:
        person = known(kind, service_a, service_b)
        code = code_of(person) if person else new_code()
        clients.add(access(celia), hetu=code, service=service_b, start=today())
        if person:
            person.refresh_from_db()
            assert (person.ask is not None, person.ask_attempts) == (True, 0)
    assert OrmQ.objects.count() == 3
    told = AuditEvent.objects.values_list("action", "outcome", "count", "details")
    assert len({str(one) for one in told}) == 1
