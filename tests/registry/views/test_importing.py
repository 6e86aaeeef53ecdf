"""The pages on which a list is imported (outside.md, Import file; domain.md E36, F43, G49)."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from registry.models import Clientship, ImportFile, ImportJob, Person, Service, Unit, User
from registry.services import imports
from tests.factories import ClientshipFactory, UserFactory, code_of, new_code
from tests.registry.services.lists import ENDS, START, everything
from vtjsync import tasks

pytestmark = pytest.mark.django_db

NAME = "Salanen Sari.csv"


@pytest.fixture
def page(client: Client, daniel: User) -> Client:
    client.force_login(daniel)
    return client


def send(page: Client, *lines: str, header: str = ENDS) -> str:
    """Uploads the list, and returns the page that follows."""
    file = SimpleUploadedFile(NAME, "\n".join([header, *lines]).encode(), content_type="text/csv")
    response = page.post(reverse("imports"), {"file": file}, follow=True)
    assert response.status_code == 200
    text: str = response.content.decode()
    assert "Salanen" not in text
    return text


def checked(page: Client, *lines: str) -> ImportJob:
    send(page, *lines)
    job = ImportJob.objects.latest("pk")
    assert tasks.import_step(job.pk) == "CHECKED"
    return job


def test_a_list_from_the_upload_to_the_result(page: Client, service_a: Service) -> None:
    code = new_code()
    assert "Odottaa vuoroaan" in send(page, f"{code};KOTI;{START};", f"{code};EI;{START};")
    assert "Salanen" not in str(everything())
    job = ImportJob.objects.get()
    tasks.import_step(job.pk)
    address = reverse("import", args=[job.pk])
    preview = page.get(address).content.decode()
    assert "Mitä luettelo muuttaisi" in preview
    assert "millään palvelulla ei ole tätä koodia" in preview
    assert code not in preview
    assert "data-done" in page.get(reverse("import-progress", args=[job.pk])).content.decode()
    started = page.post(reverse("import-start", args=[job.pk]), follow=True).content.decode()
    assert 'data-live="' in started
    tasks.import_step(job.pk)
    assert "Tuotu" in page.get(address).content.decode()
    assert Clientship.objects.get().person.codes.get().hetu == code
    file = page.get(reverse("import-bad-lines", args=[job.pk]))
    assert (file["Content-Type"], file["Content-Disposition"]) == (
        "text/csv; charset=utf-8",
        f'attachment; filename="import-{job.pk}.csv"',
    )
    assert "Tuotu" in page.get(reverse("imports")).content.decode()


def test_e36_a_list_with_addresses_is_refused_at_once_and_touches_no_disk(page: Client, settings: Settings) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = "/nowhere/at/all"
    lines = [f"{new_code()};KOTI;{START};;Salapolku 1"] * 60_000
    text = send(page, *lines, header=f"{ENDS};katuosoite")
    assert "Otsikkorivin 5. sarake on tuntematon" in text
    assert "Salapolku" not in text
    assert not ImportJob.objects.exists()


def test_too_large_a_list_is_refused_in_words(page: Client, settings: Settings) -> None:
    settings.IMPORT_MAX_BYTES = 1_000_000
    line = f"{new_code()};KOTI;{START};\n"
    assert "suurempi kuin 1 megatavua" in send(page, line * (1_000_100 // len(line) + 1))
    file = SimpleUploadedFile(NAME, line.encode() * (1_300_000 // len(line)))
    refused = page.post(reverse("imports"), {"file": file})
    assert refused.status_code == 413
    assert "enintään 1 megatavua" in refused.content.decode()
    assert not ImportJob.objects.exists()


@pytest.mark.parametrize("who", ["nobody", "another page"])
def test_only_who_is_signed_in_may_send_so_much_and_only_there(client: Client, daniel: User, who: str) -> None:
    if who != "nobody":
        client.force_login(daniel)
    file = SimpleUploadedFile(NAME, b"x" * 300_000)
    address = reverse("imports") if who == "nobody" else reverse("client-add")
    assert client.post(address, {"file": file}).status_code == 413


def test_f43_the_number_of_the_erased_has_to_be_typed(
    page: Client, service_a: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "ENDS_TO_CONFIRM", 1)
    held = [ClientshipFactory.create(service=service_a, start=START) for _ in range(2)]
    job = checked(page, *(f"{code_of(one.person)};KOTI;{START};31.12.2030" for one in held))
    text = page.get(reverse("import", args=[job.pk])).content.decode()
    assert "kaikki heistä poistetaan 1.1.2031" in text
    start = reverse("import-start", args=[job.pk])
    for typed in ("", "3", "kaksi", "²"):
        assert "luku ei täsmää" in page.post(start, {"persons": typed}, follow=True).content.decode()
    page.post(start, {"persons": " 2 "})
    assert tasks.import_step(job.pk) == "DONE"
    assert Person.objects.count() == 2


def test_another_handler_finds_no_such_list(page: Client, service_a: Service, unit_a: Unit) -> None:
    job = checked(page, f"{new_code()};KOTI;{START};")
    page.force_login(UserFactory.create(roles=["handler"], units=[unit_a]))
    for name in ("import", "import-progress", "import-bad-lines"):
        assert page.get(reverse(name, args=[job.pk])).status_code == 404
    for name in ("import-start", "import-resume", "import-cancel"):
        assert page.post(reverse(name, args=[job.pk])).status_code == 404
    assert ImportFile.objects.exists()
    assert "Et ole vielä tuonut" in page.get(reverse("imports")).content.decode()
