"""Who may see and do what (domain.md H52, E38): the question and the rows from one rule.

A role is a group; a group is a list of permissions; units decide the rows. Nothing here asks ``is_superuser`` for
personal data.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import PermissionDenied
from django.db.models import BooleanField, Exists, F, Func, Min, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from registry import lock
from registry.models import (
    AppliedChange,
    Clientship,
    EmergencyAccess,
    LogExtract,
    Person,
    Problem,
    ProblemKind,
    Service,
    User,
)

SEE_CLIENTS: Final = "registry.see_clients"
MANAGE_CLIENTSHIPS: Final = "registry.manage_clientships"
IMPORT_CLIENTS: Final = "registry.import_clients"
HANDLE_PROTECTED: Final = "registry.handle_protected"
KEEP_CONTACT_ADDRESS: Final = "registry.keep_contact_address"
SEE_OPENINGS: Final = "registry.see_openings"
SEE_FORMER: Final = "registry.see_former"
EXPORT_REGISTER: Final = "registry.export_register"
SEE_AUDIT_LOG: Final = "registry.see_audit_log"
USE_EMERGENCY_ACCESS: Final = "registry.use_emergency_access"
MAKE_LOG_EXTRACT: Final = "registry.make_log_extract"
SEE_PROBLEMS: Final = "registry.see_problems"
MERGE_PERSONS: Final = "registry.merge_persons"
CONFIRM_ERASURE: Final = "registry.confirm_erasure"
END_SESSIONS: Final = "registry.end_sessions"
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
        MAKE_LOG_EXTRACT,
    ),
    "supervisor": (SEE_OPENINGS,),
    "emergency": (USE_EMERGENCY_ACCESS,),
    "administrator": (SEE_SYNC, RUN_SYNC, CHANGE_SCHEDULE, SEE_PROBLEMS, CONFIRM_ERASURE, END_SESSIONS),
    "auditor": (SEE_AUDIT_LOG, MAKE_LOG_EXTRACT),
}


@dataclass(frozen=True, slots=True)
class Access:
    """Who asks for personal data and why; every selector of personal data takes one, and its event names them.

    ``user`` is None for a command at the server's own prompt. ``basis`` is the purpose in a word or two, ``origin`` the
    address the request came from. ``emergency``: the user looks by emergency access (docs/adr/0019), and then sees and
    may nothing that is not of that.
    """

    user: User | None
    basis: str
    origin: str = ""
    emergency: bool = False

    def __post_init__(self) -> None:
        """Nobody asks without a name and a purpose: raises TypeError where ``user`` is no user, ValueError without a
        basis (domain.md G46)."""
        if not (self.user is None or isinstance(self.user, User)):
            raise TypeError("personal data is asked for by a user, or by a command")
        if not self.basis.strip():
            raise ValueError("personal data is asked for with a purpose")

    def may(self, permission: str) -> bool:
        """Whether the right is held. A command has every right, and is named in the log as one; by emergency access one
        may only see, and a protected client only whoever handles them (domain.md E38)."""
        if self.emergency and permission not in {SEE_CLIENTS, HANDLE_PROTECTED}:
            return False
        permission = USE_EMERGENCY_ACCESS if self.emergency and permission == SEE_CLIENTS else permission
        return self.user is None or may(self.user, permission)

    def require(self, permission: str) -> None:
        """Raises PermissionDenied unless the right is held."""
        if not self.may(permission):
            raise PermissionDenied

    def in_emergency(self) -> Access:
        """The same user, who looks by emergency access."""
        return replace(self, emergency=True)


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
    rows = rows.filter(awaits_since=None)
    if access.emergency:
        rows = rows.filter(Exists(emergencies(access).filter(person=OuterRef("person"))))
    else:
        rows = rows.filter(service__unit__staff=access.user)
    return rows.filter(_bans_that_may_be_seen(access, "person__protected"))


def _bans_that_may_be_seen(access: Access, column: str) -> Q:
    """Protected persons are for handlers (E38); while the register is locked, everybody is (F45)."""
    if access.may(HANDLE_PROTECTED):
        return Q()
    return Q(pk__in=[]) if locked(access) else Q(**{column: False})


def emergencies(access: Access) -> QuerySet[EmergencyAccess]:
    """The user's own emergency accesses of this moment (docs/adr/0019)."""
    rows = EmergencyAccess.objects.filter(ended_at=None, until__gt=Now())
    if access.user is None or not may(access.user, USE_EMERGENCY_ACCESS):
        return rows.none()
    return rows.filter(user=access.user)


def reachable(access: Access) -> QuerySet[Person]:
    """The persons whom emergency access can be taken of: clients of any unit, of whom VTJ has answered; protected ones
    by handlers only (domain.md E38)."""
    if access.user is None or not access.may(USE_EMERGENCY_ACCESS):
        return Person.objects.none()
    client = Clientship.objects.filter(person=OuterRef("pk"), awaits_since=None)
    return Person.objects.filter(Exists(client), _bans_that_may_be_seen(access, "protected"))


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
    if access.emergency:
        return rows.none()
    since = clientships(access).filter(person=person).aggregate(since=Min("created_at"))["since"]
    return rows.filter(applied_at__gte=since) if since else rows.none()


def problems(access: Access) -> QuerySet[Problem]:
    """The problems, open and closed, of the persons that may be seen; of all others staff may at most know the number
    and the kind (domain.md H52). A hand-over is for the handlers of its unit, a contact address for those who may keep
    one (E38, E39)."""
    rows = Problem.objects.all()
    if access.user is None:
        return rows
    if access.emergency:
        return rows.none()
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


def extracts(access: Access) -> QuerySet[LogExtract]:
    """The extracts of the log that may be made, seen and given (docs/adr/0018): of protected persons by those who
    handle them in one of their units, of all others, in the register or not, by those who read the log (domain.md E38,
    G47). None while the register is locked: anybody may have come under a ban since the backup (F45)."""
    rows = LogExtract.objects.all()
    if access.user is None or not access.may(MAKE_LOG_EXTRACT) or locked(access):
        return rows.none()
    among = Func(
        F("subject"),
        OuterRef("subjects"),
        arg_joiner=" = ANY(",
        template="(%(expressions)s))",
        output_field=BooleanField(),
    )
    protected = Person.objects.filter(among, protected=True)
    own = Q(pk__in=persons(access).values("pk"))
    others = Exists(protected.exclude(own)) if access.may(HANDLE_PROTECTED) else Exists(protected)
    return rows.filter(~others) if access.may(SEE_AUDIT_LOG) else rows.filter(Exists(protected), ~others)


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
