"""What is refused as a password, in words of our own where the framework has none in our languages."""

from __future__ import annotations

from django.contrib.auth import password_validation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext


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
