"""Signing in at the organisation's own service (docs/adr/0017), at a real provider over HTTP."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from registry.models import AuditEvent, Session, Unit, User
from registry.oidc import Backend
from registry.services.sign_in import Fault, NotIn
from tests.factories import PASSWORD, UserFactory
from tests.provider import Provider
from vtjsync import limits

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("roles", "unit_a", "unit_b")]

KEY = rsa.generate_private_key(65537, 2048)
OTHER_KEY = rsa.generate_private_key(65537, 2048)


def told() -> tuple[str, str, str]:
    event = AuditEvent.objects.latest("pk")
    return event.action, event.outcome, event.details.get("fault", "")


def held(user: User) -> tuple[set[str], set[str]]:
    return set(user.groups.values_list("name", flat=True)), set(user.units.values_list("code", flat=True))


def test_the_first_sign_in_makes_the_account_and_leads_on(client: Client, provider: Provider) -> None:
    page = client.get(reverse("sign-in"), {"next": "/clients/"}).content.decode()
    assert f'href="{reverse("oidc-begin")}?next=%2Fclients%2F"' in page
    answer = provider.sign_in(client, "s-1", "/clients/")
    assert (answer.status_code, answer["Location"]) == (302, "/clients/")
    user = User.objects.get()
    assert (user.issuer, user.sub, user.username) == (provider.address, "s-1", "aino@example.fi")
    assert not user.has_usable_password()
    assert held(user) == ({"caseworker"}, {"A"})
    events = AuditEvent.objects.order_by("pk").values_list("action", "username", "details")
    assert list(events) == [
        ("CHANGE_ROLES", user.username, {"roles": "caseworker", "units": "A"}),
        ("SIGN_IN", user.username, {}),
    ]
    assert client.get("/clients/").status_code == 200
    # Nothing of the tokens is kept.
    assert "token" not in " ".join(Session.objects.get().get_decoded())
    # The password of nobody opens it, and it has none to change.
    assert client.get(reverse("password")).status_code == 404


def test_roles_and_units_are_those_of_the_newest_sign_in(client: Client, provider: Provider) -> None:
    provider.sign_in(client, "s-1")
    provider.knows("s-1", groups=["vtj-kasittelijat", "vtj-vetajat", "something else"])
    assert provider.sign_in(Client(), "s-1").status_code == 302
    user = User.objects.get()
    assert held(user) == ({"handler", "supervisor"}, {"B"})
    # What was signed in with the lost role is not any more.
    assert client.get("/clients/")["Location"].startswith(reverse("sign-in"))
    provider.knows("s-1", groups=[])
    answer = provider.sign_in(Client(), "s-1")
    assert answer.status_code == 403
    assert "Sinulla ei ole roolia" in answer.content.decode()
    assert held(user) == (set(), set())
    assert told() == ("SIGN_IN", "refused", "NO_ROLE")


@pytest.mark.parametrize("claims", [{}, {"groups": []}, {"groups": ["vtj"]}, {"groups": {"vtj-tekijat": 1}}])
def test_nobody_without_a_role_gets_an_account(client: Client, provider: Provider, claims: dict[str, object]) -> None:
    provider.knows("s-2", **claims)
    assert provider.sign_in(client, "s-2").status_code == 403
    assert not User.objects.exists()
    assert "_auth_user_id" not in client.session
    event = AuditEvent.objects.get()
    assert (event.action, event.outcome, event.user_id, event.details) == (
        "SIGN_IN",
        "refused",
        None,
        {"fault": "NO_ROLE"},
    )


def test_an_account_that_is_not_in_use_stays_closed(client: Client, provider: Provider) -> None:
    provider.sign_in(client, "s-1")
    User.objects.update(is_active=False)
    answer = provider.sign_in(Client(), "s-1")
    assert answer.status_code == 403
    assert "ei ole käytössä" in answer.content.decode()
    assert told() == ("SIGN_IN", "refused", "CLOSED")
    assert not Session.objects.filter(user__isnull=False).exists()


def test_a_name_or_an_address_is_nobody(client: Client, provider: Provider) -> None:
    """Somebody who calls themselves like a local user gets an account of their own."""
    local = UserFactory.create(username="aino@example.fi", email="aino@example.fi", roles=["administrator"])
    provider.knows("s-3", groups=["vtj-tekijat"], preferred_username="Aino@example.fi", email="aino@example.fi")
    assert provider.sign_in(client, "s-3").status_code == 302
    assert client.session["_auth_user_id"] != str(local.pk)
    assert held(local) == ({"administrator"}, set())


@pytest.mark.parametrize("page", ["https://example.com/", "//example.com/", "javascript:alert(1)", "/\\example.com"])
def test_nobody_is_led_to_another_site(client: Client, provider: Provider, page: str) -> None:
    assert provider.sign_in(client, "s-1", page)["Location"] == reverse("start")


def test_a_state_is_used_once_and_in_the_session_that_asked(client: Client, provider: Provider) -> None:
    back = provider.begin(client, "s-1")
    wrong = [
        Client().get(reverse("oidc-callback"), back),
        client.get(reverse("oidc-callback"), back | {"state": "x"}),
        client.get(reverse("oidc-callback"), {"code": back["code"]}),
    ]
    assert [answer.status_code for answer in wrong] == [403] * 3
    assert all("aloitettiin muualla" in answer.content.decode() for answer in wrong)
    assert told() == ("SIGN_IN", "refused", "STATE")
    assert client.get(reverse("oidc-callback"), back).status_code == 302
    again = Client()
    again.cookies = client.cookies
    client.post(reverse("sign-out"))
    assert client.get(reverse("oidc-callback"), back).status_code == 403
    assert "_auth_user_id" not in client.session


def test_a_code_of_another_sign_in_is_refused(client: Client, provider: Provider) -> None:
    """It was asked for with another nonce."""
    other = provider.begin(Client(), "s-1")
    mine = provider.begin(client, "s-1")
    answer = client.get(reverse("oidc-callback"), mine | {"code": other["code"]})
    assert answer.status_code == 403
    assert told() == ("SIGN_IN", "refused", "ANSWER")
    assert not User.objects.exists()


def test_a_refusal_of_the_provider_and_its_silence_are_told_in_words(
    client: Client, provider: Provider, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    answer = client.get(reverse("oidc-callback"), {"error": "access_denied", "state": "x"})
    assert (answer.status_code, told()[2]) == (403, "DENIED")
    back = provider.begin(client, "s-1")
    assert client.get(reverse("oidc-callback"), back | {"code": "secret-code"}).status_code == 403
    assert told()[2] == "ANSWER"
    settings.OIDC_OP_TOKEN_ENDPOINT = "http://127.0.0.1:9/token"
    answer = client.get(reverse("oidc-callback"), provider.begin(client, "s-1"))
    assert answer.status_code == 503
    assert "ei vastaa" in answer.content.decode()
    assert told() == ("SIGN_IN", "refused", "UNREACHABLE")
    assert "secret-code" not in caplog.text
    assert "Traceback" not in caplog.text


def test_signing_out_ends_it_here(client: Client, provider: Provider) -> None:
    provider.sign_in(client, "s-1")
    answer = client.post(reverse("sign-out"), follow=True)
    assert "kirjautumispalvelu voi vielä tuntea sinut" in answer.content.decode()
    assert client.get("/clients/").status_code == 302


def test_without_the_settings_there_is_no_such_page(client: Client) -> None:
    assert client.get(reverse("oidc-begin")).status_code == 404
    assert client.get(reverse("oidc-callback")).status_code == 404
    assert reverse("oidc-begin") not in client.get(reverse("sign-in")).content.decode()


def test_local_accounts_can_be_turned_off(client: Client, provider: Provider, settings: Settings) -> None:
    settings.LOCAL_ACCOUNTS, settings.AUTHENTICATION_BACKENDS = False, ["registry.oidc.Backend"]
    assert 'type="password"' not in client.get(reverse("sign-in")).content.decode()
    user = UserFactory.create()
    client.post(reverse("sign-in") + "?code=x&state=y", {"username": user.username, "password": PASSWORD})
    assert "_auth_user_id" not in client.session
    assert provider.sign_in(client, "s-1").status_code == 302


@pytest.fixture
def three_times(provider: Provider, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """So often may be tried from one address."""
    settings.SIGN_IN_ATTEMPTS = 1
    monkeypatch.setattr(limits, "WIDER", 3)


@pytest.mark.usefixtures("three_times")
def test_many_ways_there_from_one_address_are_held_up(client: Client) -> None:
    assert [client.get(reverse("oidc-begin")).status_code for _ in range(4)] == [302] * 3 + [429]
    assert client.get(reverse("oidc-callback")).status_code == 429
    assert AuditEvent.objects.get().action == "HOLD_UP"


@pytest.mark.usefixtures("three_times")
def test_who_gets_in_costs_others_nothing(provider: Provider) -> None:
    assert [provider.sign_in(Client(), "s-1").status_code for _ in range(4)] == [302] * 4


def forged(key: Any = KEY, algorithm: str = "RS256", **changed: object) -> str:
    now = int(time.time())
    told = {
        "iss": "https://login.example.fi",
        "aud": "vtjsync",
        "sub": "s-1",
        "iat": now,
        "exp": now + 60,
        "nonce": "n",
    }
    claims = {name: value for name, value in (told | changed).items() if value is not None}
    return jwt.encode(claims, key, algorithm)


PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
BAD = {
    "another key": (lambda: forged(OTHER_KEY), Fault.ANSWER),
    "no signature": (lambda: forged("", "none"), Fault.ANSWER),
    "a secret instead of a key": (lambda: forged("only-for-tests" * 4, "HS256"), Fault.ANSWER),
    "another way of signing": (lambda: forged(KEY, "RS512"), Fault.ANSWER),
    "another audience": (lambda: forged(aud="somebody"), Fault.ANSWER),
    "another issuer": (lambda: forged(iss="https://example.com"), Fault.ANSWER),
    "for another party too": (lambda: forged(aud=["vtjsync", "x"], azp="x"), Fault.ANSWER),
    "another nonce": (lambda: forged(nonce="m"), Fault.ANSWER),
    "no nonce": (lambda: forged(nonce=None), Fault.ANSWER),
    "no subject": (lambda: forged(sub=""), Fault.ANSWER),
    "no end": (lambda: forged(exp=None), Fault.ANSWER),
    "expired": (lambda: forged(exp=int(time.time()) - 100), Fault.CLOCK),
    "of tomorrow": (lambda: forged(iat=int(time.time()) + 100), Fault.CLOCK),
    "no token": (lambda: "secret.secret.secret", Fault.ANSWER),
}


class Posted(Backend):
    """The backend as if the provider had answered with the token."""

    token = ""

    def get_token(self, _payload: object) -> dict[str, str]:
        return {"id_token": self.token, "access_token": "x"}


def attempt(rf: Any, settings: Settings, token: str) -> User:
    settings.OIDC_OP_ISSUER, settings.OIDC_RP_CLIENT_ID = "https://login.example.fi", "vtjsync"
    settings.OIDC_OP_TOKEN_ENDPOINT, settings.OIDC_RP_IDP_SIGN_KEY = "https://login.example.fi/token", PUBLIC
    request = rf.get("/", {"code": "x", "state": "y"})
    request.session = {}
    backend = Posted()
    backend.token = token
    return backend.authenticate(request, nonce="n", code_verifier="v")


@pytest.mark.parametrize("what", BAD)
def test_a_token_that_cannot_be_relied_on(rf: Any, settings: Settings, what: str) -> None:
    make, fault = BAD[what]
    token = make()
    with pytest.raises(NotIn) as refused:
        attempt(rf, settings, token)
    assert refused.value.fault == fault
    assert refused.value.__context__ is None
    assert str(refused.value) == fault.value
    assert not User.objects.exists()


def test_the_token_that_they_were_made_of_is_good(rf: Any, settings: Settings, unit_a: Unit) -> None:
    settings.OIDC_ROLES = ["vtj-tekijat=caseworker"]
    settings.OIDC_UNITS = ["vtj-tekijat=A", "vtj-tekijat=no such unit"]
    user = attempt(rf, settings, forged(groups="vtj-tekijat", preferred_username="131052-308T", family_name="A\0b"))
    assert held(user) == ({"caseworker"}, {"A"})
    # What has the shape of an identity code is no name to write into the log.
    assert user.username.startswith("user-")
