"""The forms of the pages. What the register itself refuses stays with the services; these check what was typed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Any, Final

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from registry import clock, hetu
from registry.hetu import Fault, Hetu, InvalidHetu
from registry.models import EndReason, OpeningReason, Provider, Service, User
from registry.models.protected import CONTACT_COLUMNS
from registry.selectors.place import Override
from registry.services import look_up
from registry.services.import_file import EARLIEST, LATEST

# Six digits and a mark of a century can only be meant as an identity code.
_LIKE_A_CODE: Final = re.compile(r"\s*\d{6}\s*[-+A-FU-Ya-fu-y]?\s*\d")
_CODE_INSIDE: Final = re.compile(r"\d{6}\s*[-+A-FU-Ya-fu-y]\s*\d{3}\s*[0-9A-Ya-y]")
_DATES: Final = ("%d.%m.%Y", "%Y-%m-%d")

FAULTS: Final = {
    Fault.MALFORMED: _("An identity code looks like 131052-9085. Check that every character is there."),
    Fault.CHECK_CHARACTER: _("The last character does not fit the others. Check the code for a typing error."),
    Fault.NOT_PERMANENT: _("This is a test or temporary code, and not a permanent identity code."),
    Fault.NOT_TEST: _("This installation is for testing: only test codes (individual number 900–999) are accepted."),
}


class SignIn(AuthenticationForm):
    """User name and password, with an answer that does not tell which of them was wrong."""

    error_messages = {
        "invalid_login": _("The user name or the password is wrong. Check both and try again."),
        "inactive": _("This account is not in use."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("User name")
        self.fields["username"].error_messages["required"] = _("Write your user name.")
        self.fields["password"].label = _("Password")
        self.fields["password"].error_messages["required"] = _("Write your password.")


class SignInAgain(forms.Form):
    """The password of who is signed in."""

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": _("Write your password.")},
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user

    def clean_password(self) -> str:
        """Refuses a wrong one, as ``wrong`` tells."""
        password: str = self.cleaned_data["password"]
        if not self._user.check_password(password):
            raise forms.ValidationError(_("The password is wrong."), code="wrong")
        return password

    @property
    def wrong(self) -> bool:
        """Whether a password was typed that is not the user's."""
        return self.is_bound and self.has_error("password", "wrong")


class ChangePassword(PasswordChangeForm):
    """The present password and a new one, twice."""

    error_messages = PasswordChangeForm.error_messages | {"password_incorrect": _("The password is wrong.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].label = _("Present password")
        self.fields["new_password1"].label = _("New password")
        self.fields["new_password2"].label = _("New password again")
        self.fields["new_password1"].help_text = _(
            "12 characters or more. A few words that only you put together are good."
        )
        self.fields["new_password2"].help_text = ""

    @property
    def wrong(self) -> bool:
        """Whether a password was typed as the present one that is not."""
        return self.is_bound and self.has_error("old_password", "password_incorrect")


class CodeField(forms.CharField):
    """An identity code, cleaned to :class:`registry.hetu.Hetu`."""

    def __init__(self, **kwargs: Any) -> None:
        plain = {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false", "class": "short"}
        error = {"required": _("Write the identity code.")}
        super().__init__(max_length=40, widget=forms.TextInput(attrs=plain), error_messages=error, **kwargs)

    def clean(self, value: Any) -> Hetu:
        """The code, or what is wrong with it in kind words and without repeating it."""
        return parsed(super().clean(value))


class DayField(forms.DateField):
    """A day as 31.1.2026 or 2026-01-31, of a year that can be meant."""

    def __init__(self, **kwargs: Any) -> None:
        plain = {"class": "short", "autocomplete": "off", "inputmode": "text"}
        error = {
            "required": _("Write the day as 31.1.2026."),
            "invalid": _("Check the day, and write it as 31.1.2026."),
        }
        widget = forms.DateInput(format="%-d.%-m.%Y", attrs=plain)
        year = _("Check the year.")
        limits = [MinValueValidator(EARLIEST, year), MaxValueValidator(LATEST, year)]
        super().__init__(
            input_formats=_DATES, widget=widget, error_messages=error, validators=limits, localize=False, **kwargs
        )


class Search(forms.Form):
    """One box: an identity code or the beginnings of names."""

    q = forms.CharField(
        label=_("Name or identity code"),
        help_text=_("The beginnings of names are enough: “vir ai”. An identity code is written in full."),
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": _("Write a name or an identity code.")},
    )
    after = forms.UUIDField(required=False, widget=forms.HiddenInput)
    before = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def clean_q(self) -> str:
        """The words; those that look like a code must be one."""
        words: str = self.cleaned_data["q"]
        return parsed(words) if _LIKE_A_CODE.match(words) else words

    @property
    def code(self) -> Hetu | None:
        """The identity code that was searched for, if it was one."""
        words = self.cleaned_data["q"]
        return Hetu(words) if _LIKE_A_CODE.match(words) else None


class Inquiry(forms.Form):
    """Whose events are asked for, by an identity code that the person has or has had."""

    hetu = CodeField(
        label=_("Who has looked at this person's data?"),
        help_text=_("An identity code that the person has or has had; the data need not be in the register any more."),
    )
    before = forms.IntegerField(required=False, widget=forms.HiddenInput)


class AddClient(forms.Form):
    """A new clientship: whose, of which service, from which day."""

    hetu = CodeField(label=_("Identity code"))
    service = forms.ModelChoiceField(
        Service.objects.none(),
        label=_("Service"),
        empty_label=_("Choose a service"),
        error_messages={"required": _("Choose the service.")},
    )
    provider = forms.ModelChoiceField(
        Provider.objects.none(), label=_("Provider"), required=False, empty_label=_("Not known yet")
    )
    start = DayField(label=_("Start date"), help_text=_("The first day of the clientship, as 31.1.2026."))
    reference = forms.CharField(
        label=_("Own reference"),
        help_text=_("For example the number of the decision. No names, addresses or identity codes."),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(
        self, services: QuerySet[Service], data: QueryDict | None = None, *, typed: QueryDict | None = None
    ) -> None:
        """``typed`` is shown as it was typed, and not looked at yet."""
        super().__init__(data, initial={"start": clock.today()} if typed is None else typed.dict())
        services = services.order_by("name_fi", "pk")
        self.fields["service"].queryset = services  # type: ignore[attr-defined]
        providers = Provider.objects.filter(services__in=services).distinct().order_by("name")
        self.fields["provider"].queryset = providers  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """The provider must be one of the service's."""
        cleaned = super().clean() or {}
        service, provider = cleaned.get("service"), cleaned.get("provider")
        if service and provider and not service.providers.filter(pk=provider.pk).exists():
            self.add_error("provider", _("This provider does not produce the service that you chose."))
        return cleaned


class LookUp(forms.Form):
    """Whose code is it, and why is it asked?"""

    hetu = CodeField(label=_("Identity code"))
    reason = forms.TypedChoiceField(
        label=_("Why do you look it up?"),
        coerce=look_up.Reason,
        choices=lambda: [("", _("Choose a reason")), *look_up.Reason.choices],
        error_messages={"required": _("Choose why you look the code up.")},
    )


class EndClientship(forms.Form):
    """The last day of a clientship, and why it ends."""

    end = DayField(label=_("Last day"), help_text=_("The last day of the clientship, as 31.1.2026."))
    reason = forms.ChoiceField(label=_("Reason"), error_messages={"required": _("Choose the reason.")})

    def __init__(self, start: date, data: QueryDict | None = None) -> None:
        super().__init__(data, initial={"end": clock.today()})
        self.start = start
        chosen = [(one.value, one.label) for one in EndReason if one is not EndReason.LIST]
        self.fields["reason"].choices = [("", _("Choose a reason")), *chosen]  # type: ignore[attr-defined]

    def clean_end(self) -> date:
        """Not before it began."""
        end: date = self.cleaned_data["end"]
        if end < self.start:
            raise forms.ValidationError(_("The clientship cannot end before it began."))
        return end


class ConfirmErasure(forms.Form):
    """How many persons the page said that wait."""

    persons = forms.IntegerField(widget=forms.HiddenInput)


class Filter(forms.Form):
    """Which problems the list shows: one kind or all."""

    use_required_attribute = False
    kind = forms.ChoiceField(label=_("Kind"))

    def __init__(self, choices: Iterable[tuple[str, str]], kind: str) -> None:
        # Shows what was chosen and judges nothing: an unknown kind is no kind.
        super().__init__(initial={"kind": kind})
        self.fields["kind"].choices = choices  # type: ignore[attr-defined]


class Note(forms.Form):
    """What was done about a problem, in a few words."""

    note = forms.CharField(
        label=_("What was done"),
        help_text=_("In a few words. No names, addresses or identity codes."),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off"}),
        error_messages={"required": _("Write in a few words what was done.")},
    )

    def clean_note(self) -> str:
        """Without an identity code in it."""
        return without_code(self.cleaned_data["note"])


class Report(forms.Form):
    """The day on which a case was reported to DVV."""

    day = DayField(label=_("Day of the report"), help_text=_("The day on which DVV was told, as 31.1.2026."))

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data, initial={"day": clock.today()})


def without_code(note: str) -> str:
    """The note. Raises ValidationError for one with an identity code in it."""
    if _CODE_INSIDE.search(note):
        raise forms.ValidationError(_("Leave the identity code out: the note is shown to others."))
    return note


def parsed(text: str) -> Hetu:
    """The code that was typed, spaces forgiven. Raises ValidationError in words that do not repeat it."""
    try:
        return hetu.parse(re.sub(r"\s", "", text), test_codes=settings.HETU_ALLOW_TEST_CODES)
    except InvalidHetu as error:
        raise forms.ValidationError(FAULTS[error.fault], code=error.fault.value) from None


class WhyOpened(forms.Form):
    """Why a protected client's page is opened (domain.md E38)."""

    reason = forms.TypedChoiceField(
        label=_("Why do you open it?"),
        coerce=OpeningReason,
        choices=lambda: [
            ("", _("Choose a reason")),
            *((one.value, one.label) for one in OpeningReason if one is not OpeningReason.EMERGENCY),
        ],
        error_messages={"required": _("Choose why you open it.")},
    )
    note = forms.CharField(
        label=_("In a few words"),
        help_text=_("Your supervisor reads it. No names, addresses or identity codes."),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    next = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)

    def clean_note(self) -> str:
        """Without an identity code in it."""
        return without_code(self.cleaned_data["note"])

    def clean(self) -> dict[str, Any]:
        """Another reason has to be told."""
        cleaned = super().clean() or {}
        if cleaned.get("reason") is OpeningReason.OTHER and not cleaned.get("note", "").strip():
            self.add_error("note", _("Tell the other reason in a few words."))
        return cleaned


class ContactForm(forms.Form):
    """A contact address that is not the home (domain.md E39)."""

    care_of = forms.CharField(label=_("c/o"), max_length=100, required=False)
    lines = forms.CharField(
        label=_("Street address or PO box"),
        max_length=200,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    postal_code = forms.CharField(
        label=_("Postal code"), max_length=10, required=False, widget=forms.TextInput(attrs={"class": "short"})
    )
    town = forms.CharField(label=_("Town"), max_length=100, required=False)
    phone = forms.CharField(
        label=_("Phone"), max_length=40, required=False, widget=forms.TextInput(attrs={"type": "tel", "class": "short"})
    )
    email = forms.EmailField(label=_("E-mail"), max_length=200, required=False)
    confirmed = forms.BooleanField(
        label=_("The client has said that this is not the home"),
        error_messages={"required": _("Ask the client, and confirm that this is not the home.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["autocomplete"] = "off"

    def clean(self) -> dict[str, Any]:
        """At least one way to reach the client, and no identity code."""
        cleaned = super().clean() or {}
        told = [name for name in CONTACT_COLUMNS if cleaned.get(name, "").strip()]
        for name in told:
            if _CODE_INSIDE.search(cleaned[name]):
                self.add_error(name, _("Leave the identity code out."))
        if not told and not self.errors:
            self.add_error(None, _("Write at least one way to reach the client."))
        return cleaned


class Units(forms.Form):
    """Of which unit the list is: one or all."""

    use_required_attribute = False
    unit = forms.ChoiceField(label=_("Unit"))

    def __init__(self, choices: Iterable[tuple[str, str]], unit: str) -> None:
        super().__init__(initial={"unit": unit})
        self.fields["unit"].choices = choices  # type: ignore[attr-defined]


class UnconfirmedForm(forms.Form):
    """Why a location that was not confirmed lately is to be on paper (domain.md E41)."""

    why = forms.ChoiceField(label=_("Print the location for this reason"), choices=Override.choices)
