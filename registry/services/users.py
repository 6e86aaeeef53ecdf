"""Members of staff: made by the first administrator's command (outside.md, Commands)."""

from __future__ import annotations

from collections.abc import Collection

from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from registry.models import Unit, User
from registry.policies import Access
from registry.services import audit
from registry.services.audit import Action
from registry.services.errors import Refused

ADMINISTRATOR = "administrator"


def administrator_exists() -> bool:
    """Whether somebody who can sign in with a password has the role already. Who signs in at the organisation's own
    service does not count: that may be away (docs/adr/0017)."""
    return User.objects.filter(groups__name=ADMINISTRATOR, is_active=True, issuer="").exists()


def change_password(access: Access, user: User, password: str) -> None:
    """Another password, which was validated; all sessions of the user end."""
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password"])
        user.sessions.all().delete()
        audit.record(access, Action.CHANGE_PASSWORD)


def create_administrator(access: Access, username: str, password: str) -> User:
    """The first user of a new installation. Raises Refused when there is an administrator, or for a bad name or
    password; the text says which."""
    with transaction.atomic():
        # Two that make the first administrator at once: one waits, and is refused.
        list(Group.objects.select_for_update().filter(name=ADMINISTRATOR))
        if administrator_exists():
            raise Refused("There is an administrator already. Further users are not made with this command.")
        return create(access, username, password, [ADMINISTRATOR])


def create(access: Access, username: str, password: str, roles: Collection[str], units: Collection[Unit] = ()) -> User:
    """A user with these roles, in these units. Raises Refused for a bad name or password, or no such role.

    There is no right to make users by a page: the caller is a command at the server's prompt.
    """
    user = User(username=User.normalize_username(username.strip()))
    user.set_password(password)
    try:
        user.full_clean(exclude=["password"])
        validate_password(password, user)
    except ValidationError as error:
        raise Refused(" ".join(error.messages)) from error
    groups = {group.name: group for group in Group.objects.filter(name__in=roles)}
    for role in roles:
        if role not in groups:
            raise Refused(f"There is no role {role}: migrate makes the roles.")
    with transaction.atomic():
        user.save()
        user.groups.set(groups.values())
        user.units.set(units)
        audit.record(access, Action.CREATE_USER, details={"user": user.username, "roles": ", ".join(roles)})
    return user
