"""The cast at their pages, and what each answer may tell at the moment when it is given (domain.md E34, E38, H52)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.http import HttpResponse
from django.test import Client
from django.urls import resolve, reverse

from registry.models import Clientship, PersonCode, Unit, User
from tests.hunt.search import found
from tests.hunt.words import CONTACT, IDENTITY, NOTE, PLACE, REFERENCE, Said, Words

# Side by side stand both entries, of whichever unit the other is (D30); a look-up tells the name of whose code was
# typed, whether the register knows them or not.
OF_ANYBODY: Final = {"pair": "daniel", "pair-merge": "daniel", "pair-report": "daniel"}
LOOKED_UP: Final = "client-look-up"


@dataclass(frozen=True)
class Moment:
    """Whose clients are whose, and who is protected, as the database has it: owners of words."""

    protected: frozenset[int]
    known: frozenset[int]
    of_unit: Mapping[str, frozenset[int]]


def moment(words: Words) -> Moment:
    """This one."""
    rows = PersonCode.objects.values_list("hetu", "person", "person__protected")
    owners: dict[int, set[int]] = {}
    protected: set[int] = set()
    for code, person, banned in rows:
        owner = words.whose(code)
        if owner is not None:
            owners.setdefault(person, set()).add(owner)
            protected |= {owner} if banned else set()
    units: dict[str, set[int]] = {}
    for person, unit in Clientship.objects.values_list("person", "service__unit__code"):
        units.setdefault(unit, set()).update(owners.get(person, set()))
    everybody = frozenset(owner for several in owners.values() for owner in several)
    return Moment(frozenset(protected), everybody, {unit: frozenset(several) for unit, several in units.items()})


@dataclass
class Desk:
    """One of the cast at a browser. ``unit`` is whose clients may be seen; empty for who sees none."""

    name: str
    user: User | None
    unit: str
    handler: bool = False
    browser: Client = field(default_factory=lambda: Client(raise_request_exception=False))


class Staff:
    """Everybody at their desks. ``wrong`` counts what an answer told that it must not; ``answers`` the answers."""

    def __init__(self, words: Words, users: Mapping[str, User]) -> None:
        self.words = words
        self.answers: Counter[str] = Counter()
        self.letters = 0
        self.wrong: Counter[tuple[str, str, str, str]] = Counter()
        units = {"aino": "A", "celia": "B", "daniel": "A"}
        self.desks = {
            name: Desk(name, user, units.get(name, ""), handler=name in {"daniel", "fanni"})
            for name, user in users.items()
        }
        self.desks["nobody"] = Desk("nobody", None, "")
        for desk in self.desks.values():
            if desk.user is not None:
                desk.browser.force_login(desk.user)

    def get(self, who: str, page: str, *arguments: object, **query: object) -> HttpResponse:
        """What the person gets for the page."""
        return self._ask(who, page, arguments, lambda browser, address: browser.get(address, query), query)

    def post(self, who: str, page: str, *arguments: object, **typed: object) -> HttpResponse:
        """What comes of the form."""
        return self._ask(who, page, arguments, lambda browser, address: browser.post(address, typed), typed)

    def _ask(
        self,
        who: str,
        page: str,
        arguments: tuple[object, ...],
        send: Callable[[Client, str], Any],
        typed: Mapping[str, object],
    ) -> HttpResponse:
        desk, now = self.desks[who], moment(self.words)
        answer: HttpResponse = send(desk.browser, reverse(page, args=arguments))
        self.answers[f"{answer.status_code}"] += 1
        self.look(desk, page, answer, now, " ".join(map(str, typed.values())))
        if answer.status_code == 302 and answer["Location"].startswith("/") and who != "nobody":
            address, now = answer["Location"].partition("#")[0], moment(self.words)
            led: Any = desk.browser.get(address)
            self.answers[f"{led.status_code}"] += 1
            self.look(desk, resolve(address.partition("?")[0]).url_name or "", led, now, "")
            led.first = answer
            return led  # type: ignore[no-any-return]
        return answer

    def look(self, desk: Desk, page: str, answer: HttpResponse, now: Moment, typed: str) -> None:
        """Notes what the answer must not tell. What was typed may stand in it again."""
        beside = [
            *(f"{name}: {value}" for name, value in answer.items()),
            *(one.value for one in answer.cookies.values()),
        ]
        text = "\n".join([answer.content.decode(), *beside])
        self.letters += len(text)
        own = {word for word, _ in self.words.heard(typed)}
        asked_about = {said.owner for _, said in self.words.heard(typed) if said.kind == IDENTITY}
        if answer.status_code >= 500:
            self.wrong[desk.name, page, f"status {answer.status_code}", ""] += 1
        for (word, said), how in found(self.words, text).items():
            if word in own or (page == LOOKED_UP and said.kind == "name" and said.owner in asked_about):
                continue
            if why := not_for(desk, page, said, now):
                self.wrong[desk.name, page, why, f"{said.kind}, {how}"] += 1


def not_for(desk: Desk, page: str, said: Said, now: Moment) -> str:
    """Why the answer must not tell this; empty when it may."""
    both = OF_ANYBODY.get(page) == desk.name
    reads_why = desk.name == "fanni" and page == "openings" and said.kind == NOTE
    rules = {
        "a place of a protected person": said.kind == PLACE and said.owner in now.protected,
        "something of a person for somebody who sees none": not (desk.unit or reads_why),
        "somebody who is not in the register": said.owner not in now.known,
        "somebody of another unit": not (both or reads_why) and said.owner not in now.of_unit.get(desk.unit, ()),
        "somebody protected, for no handler": said.owner in now.protected and not desk.handler,
        "a reference of another unit": said.kind == REFERENCE and said.unit != desk.unit and not both,
        "a contact address, for no handler": said.kind == CONTACT and not desk.handler,
    }
    return next((why for why, broken in rules.items() if broken), "")


def hired() -> dict[str, User]:
    """Two units with a service each, and the cast."""
    from registry.policies import create_roles
    from tests.factories import DataPermitFactory, ProviderFactory, ServiceFactory, UnitFactory, UserFactory

    create_roles()
    DataPermitFactory.create()
    units: list[Unit] = [UnitFactory.create(code="A"), UnitFactory.create(code="B")]
    provider = ProviderFactory.create()
    for unit, code in zip(units, ("KOTI", "KUNTO"), strict=True):
        ServiceFactory.create(code=code, unit=unit, providers=[provider])
    roles = {
        "aino": ("caseworker", units[:1]),
        "bertta": ("administrator", []),
        "celia": ("caseworker", units[1:]),
        "daniel": ("handler", units[:1]),
        "eeva": ("auditor", []),
        "fanni": ("supervisor", units[:1]),
    }
    return {name: UserFactory.create(username=name, roles=[role], units=of) for name, (role, of) in roles.items()}
