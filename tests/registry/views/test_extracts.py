"""The pages of a client's own extract of the log (G47, G49, E38)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from registry.clock import today
from registry.models import AuditEvent, LogExtract, Person, Service, User
from registry.services import audit
from registry.services.audit import Action
from tests.cast import access
from tests.factories import ClientshipFactory, PersonFactory, code_of, new_code, opened

pytestmark = pytest.mark.django_db

REFUSAL = "Toisen henkilön oikeudet."


def asked(client: Client, code: str, **more: str) -> str:
    """The address of the extract that was begun."""
    told = {
        "hetu": code,
        "requester": "CLIENT",
        "reference": "7/2026",
        "since": f"{today() - timedelta(days=9):%d.%m.%Y}",
    }
    response = client.post(reverse("log-extracts"), told | {"until": f"{today():%d.%m.%Y}"} | more)
    assert response.status_code == 302, response.context["form"].errors
    return str(response["Location"])


@pytest.fixture
def seen(service_a: Service, aino: User) -> Person:
    """A client whom Aino has looked at."""
    person = ClientshipFactory.create(service=service_a).person
    audit.record(access(aino), Action.VIEW, subjects=[person.subject])
    return person


def test_g47_from_the_code_to_the_file(client: Client, eeva: User, seen: Person) -> None:
    client.force_login(eeva)
    page = asked(client, code_of(seen))
    assert code_of(seen) not in page
    assert "Aino Esimerkki" in client.get(page).content.decode()
    assert client.post(page + "download/", {"form": "csv"}).status_code == 404
    client.post(page + "release/")
    given = client.get(page, {"all": ""}).content.decode()
    for text in ("Aino Esimerkki", "7/2026", str(Action.VIEW.label)):
        assert text in given
    for form in ("csv", "xlsx"):
        response = client.post(page + "download/", {"form": form})
        assert response["Content-Disposition"] == f'attachment; filename="log-extract.{form}"'
        whole = b"".join(response)
        assert whole[:2] == (b"PK" if form == "xlsx" else b"\xef\xbb")
        assert "no-store" in response["Cache-Control"]
    assert AuditEvent.objects.filter(action="DOWNLOAD_EXTRACT", basis="extract of the log for a client").count() == 2


def test_g49_what_is_typed_wrongly_is_told_and_no_code_is_kept(client: Client, eeva: User, seen: Person) -> None:
    client.force_login(eeva)
    wrong = {"hetu": "x", "requester": "", "reference": code_of(seen), "since": "1.1.2020", "until": "1.1.2019"}
    form = client.post(reverse("log-extracts"), wrong).context["form"]
    assert set(form.errors) == {"hetu", "requester", "reference", "until"}
    form = client.post(reverse("log-extracts"), wrong | {"until": f"{today():%d.%m.%Y}"}).context["form"]
    assert "reason" in form.errors
    assert not LogExtract.objects.exists()


def test_a_refusal_is_a_page_to_print(client: Client, eeva: User, seen: Person) -> None:
    client.force_login(eeva)
    page = asked(client, code_of(seen))
    assert 'id="id_note_error"' in client.post(page + "refuse/", {"ground": "OTHERS", "note": ""}).content.decode()
    client.post(page + "refuse/", {"ground": "OTHERS", "note": REFUSAL})
    told = client.get(page).content.decode()
    assert REFUSAL in told
    assert "tietosuoja@om.fi" in told
    assert "Aino Esimerkki" not in told


def test_e38_a_handler_decides_line_by_line(client: Client, daniel: User, aino: User, service_a: Service) -> None:
    person = ClientshipFactory.create(service=service_a, person=PersonFactory.create(protected=True)).person
    for action in (Action.VIEW, Action.SHOW_CODE):
        audit.record(access(aino), action, subjects=[person.subject])
    client.force_login(daniel)
    page = asked(client, code_of(person))
    assert client.get(page)["Location"].startswith(reverse("client-open", args=[person.subject]))
    opened(daniel, person)
    first, second = (line.number for line in client.get(page).context["page"].lines)
    client.post(page + "lines/", {f"line-{first}": "WITH_PLACE", f"line-{second}": "LEAVE_OUT OTHERS"})
    client.post(page + "release/")
    told = client.get(page).content.decode()
    assert str(Action.VIEW.label) in told
    assert "Kotihoito" in told
    assert str(Action.SHOW_CODE.label) not in told


def test_a_code_of_nobody_is_answered_too(client: Client, eeva: User) -> None:
    client.force_login(eeva)
    page = asked(client, new_code())
    client.post(page + "release/")
    assert 'class="empty"' in client.get(page).content.decode()
