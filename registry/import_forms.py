"""The forms of the import. What a list must be is the service's to say; these check what was sent."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _


class Upload(forms.Form):
    """A list as a file. Its name may hold a person's, and is neither kept nor shown."""

    file = forms.FileField(
        label=_("List of clients"),
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
        error_messages={
            "required": _("Choose a file."),
            "empty": _("The file is empty."),
            "missing": _("Choose a file."),
            "invalid": _("Choose a file."),
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        most = {"most": settings.IMPORT_MAX_BYTES // 1_000_000}
        self.fields["file"].help_text = _("A CSV file in UTF-8, at most %(most)s megabytes.") % most

    def clean_file(self) -> UploadedFile[bytes]:
        """The file, if it is not too large to be read."""
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > settings.IMPORT_MAX_BYTES:
            most = {"most": settings.IMPORT_MAX_BYTES // 1_000_000}
            raise forms.ValidationError(_("The file is larger than %(most)s megabytes."), params=most)
        return file


def typed_number(text: str) -> int | None:
    """The number that was typed, with spaces or without; None for anything else."""
    digits = re.sub(r"\s", "", text)[:9]
    return int(digits) if digits.isascii() and digits.isdecimal() else None
