"""Who comes in by the organisation's own sign-in service, with which roles and units (docs/adr/0017)."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db import models, transaction
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _

from registry.models import Unit, User
from registry.policies import Access
from registry.services import audit
from registry.services.audit import Action

log = logging.getLogger(__name__)

BASIS: Final = "signing in"
LONGEST_NAME: Final = 150
# As the framework has it for user names.
_USERNAME: Final = re.compile(r"[\w.@+-]+")


class Fault(models.TextChoices):
    """Why somebody did not come in, in words for who tried."""

    UNREACHABLE = "UNREACHABLE", _("The sign-in service of your organisation does not answer. Try again in a moment.")
    DENIED = "DENIED", _("The sign-in service did not let you in, or you turned back.")
    STATE = "STATE", _("This sign-in was begun elsewhere, or was used already. Begin anew.")
    CLOCK = (
        "CLOCK",
        _("The answer of the sign-in service was not of now. Begin anew; if it goes on, a clock is wrong."),
    )
    ANSWER = "ANSWER", _("The answer of the sign-in service cannot be relied on.")
    NO_ROLE = (
        "NO_ROLE",
        _("You have no role in this register. If you need one in your work, ask to be added to a group that has one."),
    )
    CLOSED = "CLOSED", _("This account is not in use.")
    OTHER_PERSON = "OTHER_PERSON", _("Somebody else signed in at the sign-in service than here.")
    NOT_FRESH = "NOT_FRESH", _("The sign-in service did not tell that you signed in just now.")
    PASSWORD = "PASSWORD", _("The password was wrong.")


class NotIn(Exception):
    """Somebody does not come in. ``user`` is whom they were known as, if anybody. Holds nothing of what was sent."""

    def __init__(self, fault: Fault, user: User | None = None) -> None:
        super().__init__(fault.value)
        self.fault = fault
        self.user = user


def named_in(pairs: Collection[str], values: Collection[str]) -> list[str]:
    """What the pairs ``value=name`` of a setting name for any of the values, in order and once."""
    split = (pair.rpartition("=") for pair in pairs)
    return sorted({name.strip() for value, _equals, name in split if value.strip() in values})


def arrive(claims: Mapping[str, Any], origin: str) -> User:
    """The user of these claims, whose signature was verified; made at the first time. Roles and units are those that
    the claim names now. Raises :class:`NotIn` without a role, which then goes from the account too, and for an account
    that is not in use."""
    values = _values(claims.get(settings.OIDC_GROUPS_CLAIM))
    roles, units = named_in(settings.OIDC_ROLES, values), named_in(settings.OIDC_UNITS, values)
    with transaction.atomic():
        known = {"issuer": claims["iss"], "sub": claims["sub"]}
        user = User.objects.filter(**known).first()
        if user is None and roles:
            user, _made = User.objects.get_or_create(**known, defaults=_new(claims))
        if user is not None and user.is_active:
            _renew(Access(user, BASIS, origin), user, claims, roles, units)
    if user is not None and not user.is_active:
        raise NotIn(Fault.CLOSED, user)
    if user is None or not roles:
        raise NotIn(Fault.NO_ROLE, user)
    return user


def _values(claim: object) -> set[str]:
    """What the claim holds: a list of words, or one."""
    return {one for one in (claim if isinstance(claim, list) else [claim]) if isinstance(one, str)}


def _new(claims: Mapping[str, Any]) -> dict[str, str]:
    """A user name, and no password. A name that is taken is somebody else's, whoever that is; one with many digits in
    a row may be an identity code."""
    name = User.normalize_username(_text(claims, "preferred_username"))
    bad = len(name) > LONGEST_NAME or not _USERNAME.fullmatch(name) or re.search(r"\d{6}", name)
    if bad or User.objects.filter(username__iexact=name).exists():
        name = f"user-{get_random_string(8, 'abcdefghijkmnpqrstuvwxyz')}"
    return {"username": name, "password": make_password(None)}


def _renew(access: Access, user: User, claims: Mapping[str, Any], roles: list[str], units: list[str]) -> None:
    """The name, the roles and the units as they are now; an event where something changed."""
    names = {"first_name": _text(claims, "given_name"), "last_name": _text(claims, "family_name")}
    if any(names.values()):
        User.objects.filter(pk=user.pk).update(**names)
    before = _held(user)
    user.groups.set(Group.objects.filter(name__in=roles))
    user.units.set(Unit.objects.filter(code__in=units))
    after = _held(user)
    if before != after:
        audit.record(access, Action.CHANGE_ROLES, details={"roles": ", ".join(after[0]), "units": ", ".join(after[1])})
    if len(after[1]) < len(units):
        log.warning("OIDC_UNITS names %d units that are not in the register", len(units) - len(after[1]))


def _held(user: User) -> tuple[list[str], list[str]]:
    roles = user.groups.order_by("name").values_list("name", flat=True)
    return list(roles), list(user.units.order_by("code").values_list("code", flat=True))


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value.replace("\0", "")[:LONGEST_NAME].strip() if isinstance(value, str) else ""
