"""What is refused as a password: our own words (OWASP ASVS V6.1.2), and what the framework has no words for in our
languages."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registry.models import Authority, User

# What anybody at work here would think of, with the names of the organisation and of the user's units.
WORDS: Final = (
    "asiakas",
    "asiakasrekisteri",
    "dvv",
    "hyvinvointialue",
    "klient",
    "kunta",
    "ostopalvelu",
    "palveluseteli",
    "password",
    "rekisteri",
    "salasana",
    "servicesedel",
    "sosiaali",
    "turvakielto",
    "vtj",
    "vtjsync",
)
SHORTEST: Final = 4
# So much of a password has to be its own.
OWN: Final = 8


class NoneOfOurWords:
    """Refuses a password of which too little is left without these words."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Raises ValidationError."""
        left = _plain(password)
        for word in sorted(_words(user), key=len, reverse=True):
            left = left.replace(word, "")
        if sum(one.isalnum() for one in left) < OWN:
            raise ValidationError(self.get_help_text(), code="our_words")

    def get_help_text(self) -> str:
        """In words for who chooses one."""
        return _("The password is mostly a word of this register or organisation. Add words of your own.")


class Length(password_validation.MinimumLengthValidator):
    """So many characters."""

    def get_error_message(self) -> str:
        """How many."""
        words = ngettext(
            "The password is too short: it needs %(count)d character.",
            "The password is too short: it needs %(count)d characters.",
            self.min_length,
        )
        return words % {"count": self.min_length}


class NotTheName(password_validation.UserAttributeSimilarityValidator):
    """Not the user's own name."""

    def get_error_message(self) -> str:
        """Does not say which."""
        return _("The password is too similar to your name or user name.")


def _words(user: User | None) -> set[str]:
    names = [one for row in Authority.objects.all() for one in (row.name_fi, row.name_sv, row.name_en)]
    if user is not None and user.pk:
        names += [one for unit in user.units.all() for one in (unit.name_fi, unit.name_sv, unit.name_en, unit.code)]
    parts = {part for name in names for part in re.findall(r"\w+", _plain(name)) if len(part) >= SHORTEST}
    return parts | set(WORDS)


def _plain(text: str) -> str:
    """Small letters without their marks."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in letters if not unicodedata.combining(one))
