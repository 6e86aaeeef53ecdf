"""The pages of log extracts and of emergency access, as somebody sees them, for the looks of every page."""

from __future__ import annotations

from django.urls import reverse

from registry.clock import today
from registry.models import Ground, Person, Requester, User
from registry.services import audit, extracts
from registry.services.audit import Action
from tests.cast import access
from tests.factories import UserFactory, code_of, emergency


def extract_pages(auditor: User, handler: User, plain: Person, protected: Person) -> list[tuple[User, str]]:
    """An extract to decide line by line, one that is given and one that is not; a client read in an emergency."""
    audit.record(access(handler), Action.VIEW, subjects=[plain.subject, protected.subject])
    told = {"requester": Requester.TRUSTEE, "reference": "HVA/17/2026", "since": today(), "until": today()}
    given, refused = (extracts.begin(access(auditor), code_of(plain), **told) for _ in range(2))
    to_decide = extracts.begin(access(handler), code_of(protected), **told)
    extracts.release(access(auditor), given.pk)
    extracts.refuse(access(auditor), refused.pk, Ground.OTHERS, "Tiedon antaminen vaarantaisi toisen oikeudet.")
    on_duty = UserFactory.create(username="gunnar", roles=["emergency"])
    emergency(on_duty, plain)
    return [
        (auditor, reverse("log-extracts")),
        (auditor, reverse("log-extract", args=[given.pk])),
        (auditor, reverse("log-extract", args=[refused.pk])),
        (handler, reverse("log-extract", args=[to_decide.pk])),
        (on_duty, reverse("emergency")),
        (on_duty, reverse("emergency-client", args=[plain.subject])),
    ]
