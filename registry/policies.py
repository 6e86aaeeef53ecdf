"""Who may see and do what (domain.md H52, E38): the question and the rows from one rule.

A role is a group; a group is a list of permissions; units decide the rows. Nothing here asks ``is_superuser`` for
personal data.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet

from registry import lock
from registry.models import AppliedChange, Clientship, Person, Problem, ProblemKind, Service, User

SEE_CLIENTS: Final = "registry.see_clients"
MANAGE_CLIENTSHIPS: Final = "registry.manage_clientships"
IMPORT_CLIENTS: Final = "registry.import_clients"
HANDLE_PROTECTED: Final = "registry.handle_protected"
KEEP_CONTACT_ADDRESS: Final = "registry.keep_contact_address"
SEE_OPENINGS: Final = "registry.see_openings"
SEE_FORMER: Final = "registry.see_former"
EXPORT_REGISTER: Final = "registry.export_register"
SEE_AUDIT_LOG: Final = "registry.see_audit_log"
SEE_PROBLEMS: Final = "registry.see_problems"
MERGE_PERSONS: Final = "registry.merge_persons"
CONFIRM_ERASURE: Final = "registry.confirm_erasure"
SEE_SYNC: Final = "vtjsync.see_sync"
RUN_SYNC: Final = "vtjsync.run_sync"
CHANGE_SCHEDULE: Final = "vtjsync.change_schedule"

ROLES: Final[dict[str, tuple[str, ...]]] = {
    "caseworker": (SEE_CLIENTS, MANAGE_CLIENTSHIPS),
    "handler": (
        SEE_CLIENTS,
        MANAGE_CLIENTSHIPS,
        HANDLE_PROTECTED,
        IMPORT_CLIENTS,
        KEEP_CONTACT_ADDRESS,
        SEE_FORMER,
        MERGE_PERSONS,
    ),
    "supervisor": (SEE_OPENINGS,),
    "administrator": (SEE_SYNC, RUN_SYNC, CHANGE_SCHEDULE, SEE_PROBLEMS, CONFIRM_ERASURE),
    "auditor": (SEE_AUDIT_LOG,),
}


@dataclass(frozen=True, slots=True)
class Access:
    """Who asks for personal data and why; every selector of personal data takes one, and its event names them.

    ``user`` is None for a command at the server's own prompt. ``basis`` is the purpose in a word or two, ``origin`` the
    address the request came from.
    """

    user: User | None
    basis: str
    origin: str = ""

    def __post_init__(self) -> None:
        """Nobody asks without a name and a purpose: raises TypeError where ``user`` is no user, ValueError without a
        basis (domain.md G46)."""
        if not (self.user is None or isinstance(self.user, User)):
            raise TypeError("personal data is asked for by a user, or by a command")
        if not self.basis.strip():
            raise ValueError("personal data is asked for with a purpose")

    def may(self, permission: str) -> bool:
        """Whether the right is held. A command has every right, and is named in the log as one."""
        return self.user is None or may(self.user, permission)

    def require(self, permission: str) -> None:
        """Raises PermissionDenied unless the right is held."""
        if not self.may(permission):
            raise PermissionDenied


def may(user: User, permission: str) -> bool:
    """Whether the user holds the right by a role or by itself; being a superuser gives none."""
    if not user.is_active:
        return False
    held: set[str] | None = getattr(user, "_held_rights", None)
    if held is None:
        rights = Permission.objects.filter(Q(group__user=user) | Q(user=user))
        held = {f"{app}.{code}" for app, code in rights.values_list("content_type__app_label", "codename")}
        user._held_rights = held  # type: ignore[attr-defined]
    return permission in held


def locked(access: Access) -> bool:
    """Whether the register is locked after a restore (domain.md F45), as the user's page found it first."""
    if access.user is None:
        return lock.is_locked()
    found: bool | None = getattr(access.user, "_found_locked", None)
    if found is None:
        found = access.user._found_locked = lock.is_locked()  # type: ignore[attr-defined]
    return found


def clientships(access: Access) -> QuerySet[Clientship]:
    """The clientships that may be seen: those of one's own units (H52), of protected persons only by handlers (E38).

    One that VTJ has not answered about since it was added is no way to the person either: whether the register knew
    the person, and whether there is a ban, is not told by what can be seen meanwhile. It is one of :func:`awaited`.
    While the register is locked after a restore anybody may have come under a ban since the backup (F45).
    """
    rows = Clientship.objects.all()
    if access.user is None:
        return rows
    if not access.may(SEE_CLIENTS):
        return rows.none()
    rows = rows.filter(service__unit__staff=access.user, awaits_since=None)
    if access.may(HANDLE_PROTECTED):
        return rows
    return rows.none() if locked(access) else rows.filter(person__protected=False)


def awaited(access: Access) -> QuerySet[Clientship]:
    """The clientships that were added in one's own units, that VTJ has not answered about and that were not taken back.
    Of the person nothing may be told but what was typed."""
    taken_back = Q(end__isnull=False, awaits_since=F("created_at"))
    rows = Clientship.objects.filter(~taken_back, awaits_since__isnull=False)
    if access.user is None or not access.may(MANAGE_CLIENTSHIPS):
        return rows.none()
    return rows.filter(service__unit__staff=access.user)


def persons(access: Access) -> QuerySet[Person]:
    """The persons that may be seen: those with a clientship that may be seen."""
    if access.user is None:
        return Person.objects.all()
    return Person.objects.filter(Exists(clientships(access).filter(person=OuterRef("pk")).order_by()))


def changes(access: Access, person: Person) -> QuerySet[AppliedChange]:
    """The changes of a person who may be seen, since they have been a client of one's own units: earlier ones would
    tell that another unit had the person already (domain.md H52, E38)."""
    rows = AppliedChange.objects.filter(person=person)
    if access.user is None:
        return rows
    since = clientships(access).filter(person=person).aggregate(since=Min("created_at"))["since"]
    return rows.filter(applied_at__gte=since) if since else rows.none()


def problems(access: Access) -> QuerySet[Problem]:
    """The problems, open and closed, of the persons that may be seen; of all others staff may at most know the number
    and the kind (domain.md H52). A hand-over is for the handlers of its unit, a contact address for those who may keep
    one (E38, E39)."""
    rows = Problem.objects.all()
    if access.user is None:
        return rows
    seen = clientships(access).filter(person=OuterRef("person")).order_by()
    rows = rows.filter(Exists(seen), Q(unit=None) | Exists(seen.filter(service__unit=OuterRef("unit"))))
    if not access.may(HANDLE_PROTECTED):
        rows = rows.exclude(kind=ProblemKind.HANDOVER)
    return rows if access.may(KEEP_CONTACT_ADDRESS) else rows.exclude(kind=ProblemKind.CONTACT_ADDRESS)


def unattended() -> QuerySet[Problem]:
    """The open hand-overs that nobody sees who could take the person over: for an administrator, without details
    (domain.md E38)."""
    handlers = User.objects.filter(units=OuterRef("unit"), is_active=True)
    for right in (SEE_CLIENTS, MANAGE_CLIENTSHIPS, HANDLE_PROTECTED):
        app, code = right.split(".")
        held = Permission.objects.filter(content_type__app_label=app, codename=code)
        of_user = Q(group__user=OuterRef("pk")) | Q(user=OuterRef("pk"))
        handlers = handlers.filter(Exists(held.filter(of_user)))
    return Problem.objects.filter(~Exists(handlers), kind=ProblemKind.HANDOVER, closed_at=None)


def pairs(access: Access) -> QuerySet[Problem]:
    """The open pairs of two entries of one person that may be looked at side by side and merged: one of the two at
    least may be seen, and both of a protected person only by handlers (domain.md D30, E38)."""
    rows = Problem.objects.filter(kind=ProblemKind.TWO_ENTRIES, closed_at=None)
    if access.user is None:
        return rows
    if not access.may(MERGE_PERSONS):
        return rows.none()
    if not access.may(HANDLE_PROTECTED):
        rows = rows.filter(person__protected=False, other__protected=False)
    seen = clientships(access).order_by()
    return rows.filter(Exists(seen.filter(person=OuterRef("person"))) | Exists(seen.filter(person=OuterRef("other"))))


def services(access: Access) -> QuerySet[Service]:
    """The services whose clients may be added and whose clientships may be ended: those of one's own units (H52)."""
    if access.user is None:
        return Service.objects.all()
    if not access.may(MANAGE_CLIENTSHIPS):
        return Service.objects.none()
    return Service.objects.filter(unit__staff=access.user)


def open_on(day: date) -> Q:
    """The clientships that are open on the Helsinki day (domain.md A1)."""
    return Q(start__lte=day) & (Q(end=None) | Q(end__gte=day))


def create_roles(**_kwargs: Any) -> None:
    """After a migration: the roles that are missing, with their rights, and for every role the rights that this version
    has brought. Otherwise an existing role is left as it was made: a right taken from it stays taken."""
    known = set(Permission.objects.values_list("content_type__app_label", "codename"))
    for app in {right.split(".")[0] for rights in ROLES.values() for right in rights}:
        create_permissions(apps.get_app_config(app), verbosity=0)
    for name, rights in ROLES.items():
        group, created = Group.objects.get_or_create(name=name)
        for app, code in (right.split(".") for right in rights):
            if created or (app, code) not in known:
                group.permissions.add(*Permission.objects.filter(content_type__app_label=app, codename=code))
