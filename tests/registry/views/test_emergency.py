"""The pages of emergency access (H52, G49, docs/adr/0019)."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import gettext

from registry.models import EmergencyAccess, Person, Service, User
from tests.factories import ClientshipFactory, PersonFactory, code_of, new_code

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("permit")]

TOLD = {"reason": "Asiakas on kadonnut.", "confirmed": "on"}


@pytest.fixture(autouse=True)
def on_duty(client: Client, gunnar: User) -> None:
    client.force_login(gunnar)


@pytest.fixture
def person(service_b: Service) -> Person:
    return ClientshipFactory.create(service=service_b, person=PersonFactory.create(home=True)).person


def test_from_the_question_to_the_end(client: Client, gunnar: User, person: Person) -> None:
    assert client.get(reverse("start"))["Location"] == reverse("emergency")
    page = client.post(reverse("emergency"), {"hetu": code_of(person)} | TOLD)["Location"]
    assert page == reverse("emergency-client", args=[person.subject])
    text = client.get(page).content.decode()
    assert "Mikkolantie" in text
    assert "Kuntoutus" in text
    # There is nothing to do but to end it, sign out, and change the language.
    end = reverse("emergency-end", args=[EmergencyAccess.objects.get().pk])
    assert {part.split('"')[0] for part in text.split('action="')[1:]} == {end, "/language/", "/sign-out/"}
    notice = str(gettext("Emergency access is on"))
    assert notice in client.get(reverse("emergency")).content.decode()
    assert client.get(reverse("client", args=[person.subject])).status_code == 403
    client.post(end)
    assert notice not in client.get(reverse("emergency")).content.decode()
    assert client.get(page).status_code == 404


def test_the_form_wants_a_reason_and_a_confirmation(client: Client, gunnar: User, person: Person) -> None:
    sent = {"hetu": code_of(person), "reason": f"Kadonnut {code_of(person)}"}
    assert set(client.post(reverse("emergency"), sent).context["form"].errors) == {"reason", "confirmed"}
    assert set(client.post(reverse("emergency"), {"hetu": new_code()} | TOLD).context["form"].errors) == {"__all__"}
    assert not EmergencyAccess.objects.exists()
