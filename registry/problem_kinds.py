"""What each kind of problem means, what to do about it, and what staff can do here: data, and no branches elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from registry.models import ProblemKind


@dataclass(frozen=True, slots=True)
class About:
    """One kind in words for a caseworker. ``asks``: VTJ's next answer may settle it. ``noted``: staff may set it aside
    with a note; the others are settled in a way of their own, by what the template ``part`` offers."""

    meaning: str | Promise
    todo: str | Promise
    asks: bool = True
    noted: bool = True
    part: str = ""


KINDS: Final = {
    ProblemKind.NOT_FOUND: About(
        _("VTJ left this person out of its answer. What was known before is kept as it was."),
        _(
            "Compare the identity code with the client's papers. If it is wrong, end the clientship as entered by"
            " mistake and add the client with the right code. If it is right, VTJ is asked again later."
        ),
    ),
    ProblemKind.NO_SUCCESSOR: About(
        _("VTJ says that the identity code is no longer in force, and names none that could be used in its place."),
        _("Ask the client, or DVV, which code is in force now. What was known before is kept, and may be outdated."),
    ),
    ProblemKind.TWO_ENTRIES: About(
        _(
            "VTJ says that two clients of this register are one and the same person. If either has a non-disclosure"
            " order, it covers both until this is settled."
        ),
        _("Somebody with the right to do so compares the two entries and merges them, or reports the case to DVV."),
        noted=False,
        part="registry/problem_pair.html",
    ),
    ProblemKind.UNREADABLE: About(
        _(
            "A part of VTJ's answer could not be read. What was known before is kept; where it might be about a"
            " non-disclosure order or an address, the location is hidden."
        ),
        _("Have VTJ asked again. If it stays like this, tell the administrator, who reports it to DVV."),
    ),
    ProblemKind.CONTRADICTING: About(
        _(
            "The parts of VTJ's answer do not agree with each other, for example two home addresses at once. What was"
            " known before is kept."
        ),
        _("Ask the client which is right, and whether it has been reported to DVV. Then have VTJ asked again."),
    ),
    ProblemKind.NAME_MISMATCH: About(
        _(
            "The name in the imported list is not the name that VTJ gives for the identity code. The code may be"
            " somebody else's, so what VTJ says is hidden."
        ),
        _("Compare the code and the name with the client's papers, and say below whether this is the person."),
        asks=False,
        noted=False,
        part="registry/problem_name.html",
    ),
    ProblemKind.BAN_UNCLEAR: About(
        _("VTJ no longer speaks of the non-disclosure order, and does not say that it has ended. It is kept."),
        _("Ask the client whether the order is in force, and have VTJ asked again. Only VTJ's own word ends it."),
    ),
    ProblemKind.CODE_REFUSED: About(
        _("VTJ does not accept the identity code in a question, so this person's data is not kept up to date."),
        _(
            "Compare the code with the client's papers. If it is wrong, end the clientship as entered by mistake and"
            " add the client with the right code. If it is right, tell the administrator, who asks DVV."
        ),
    ),
    ProblemKind.HANDOVER: About(
        _(
            "A non-disclosure order has begun. The caseworkers no longer see the client, and handlers of protected"
            " clients do."
        ),
        _(
            "Make sure that the service goes on and that nobody sends anything to an address that was known before."
            " Then take the client over."
        ),
        asks=False,
        noted=False,
        part="registry/problem_handover.html",
    ),
    ProblemKind.CONTACT_ADDRESS: About(
        _("The non-disclosure order has ended, and a contact address is kept that the client gave during it."),
        _("Ask the client whether it is still needed. If it is not, remove it. If it is, say so in a note."),
        asks=False,
        part="registry/problem_contact.html",
    ),
}
