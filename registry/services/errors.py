"""What a service refuses to do, in words for the person who asked."""

from __future__ import annotations

from uuid import UUID

from django.utils.functional import Promise


class Refused(Exception):
    """The act is not done. The text is for the page or the command: short, kind, without personal data."""

    def __init__(self, message: str | Promise) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return str(self.message)


class AlreadyClient(Refused):
    """There is such a clientship, and the caller may see it: on the page of the client with this random id."""

    def __init__(self, message: str | Promise, subject: UUID) -> None:
        super().__init__(message)
        self.subject = subject


class Unreadable(Refused):
    """The file is not what it should be, as a whole: nothing of it was used."""
