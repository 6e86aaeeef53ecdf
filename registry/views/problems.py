"""What needs attention, and what can be done about it (domain.md A4, H52). The acts travel by POST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from registry.forms import Filter, Note
from registry.models import Problem
from registry.policies import MANAGE_CLIENTSHIPS, SEE_CLIENTS, SEE_PROBLEMS, Access
from registry.selectors import problems as selector
from registry.services import mismatches, problem_acts
from registry.services.errors import Refused
from registry.services.mismatches import Way
from registry.views.access import access, needs

BASIS: Final = "what needs attention"
SAID: Final[dict[Way, str | Promise]] = {
    Way.TAKEN_BACK: gettext_lazy("The clientship was removed. The person's other clientships stay."),
    Way.ERASED: gettext_lazy("The client was removed, and the look-up was logged as mistaken."),
    Way.ENDED: gettext_lazy("The clientship was ended as entered by mistake."),
}


@require_safe
@needs(SEE_CLIENTS, SEE_PROBLEMS)
def listing(request: HttpRequest) -> HttpResponse:
    """The problems that wait, or those set aside, the oldest first."""
    after = request.GET.get("after", "")[:18]
    kind, aside = request.GET.get("kind", ""), request.GET.get("aside") == "1"
    start = int(after) if after.isdecimal() else 0
    page = selector.listed(access(request, BASIS), kind=kind, aside=aside, after=start)
    choices = [("", _("All kinds")), *((one.kind, f"{one.label} ({one.count})") for one in page.counts)]
    context = {"page": page, "form": Filter(choices, kind), "aside": aside, "kind": kind, "first": not start}
    return render(request, "registry/problems.html", context)


@require_safe
@needs(SEE_CLIENTS)
def page(request: HttpRequest, number: int) -> HttpResponse:
    """One problem: what it means, what to do, and how far it has come."""
    return _shown(request, number)


@require_POST
@needs(MANAGE_CLIENTSHIPS)
def ask(request: HttpRequest, number: int) -> HttpResponse:
    """Has VTJ asked again now."""
    said = gettext_lazy("VTJ is being asked. The problem goes away by itself when the answer settles it.")
    return _done(request, number, problem_acts.ask_again, said, "problem", number)


@require_POST
@needs(MANAGE_CLIENTSHIPS)
def aside(request: HttpRequest, number: int) -> HttpResponse:
    """Sets the problem aside with a note."""
    form = Note(request.POST)
    if not form.is_valid():
        return _shown(request, number, note=form)

    def act(who: Access, row: Problem) -> None:
        problem_acts.set_aside(who, row, form.cleaned_data["note"])

    return _done(request, number, act, gettext_lazy("The problem was set aside."), "problems")


@require_POST
@needs(MANAGE_CLIENTSHIPS)
def name(request: HttpRequest, number: int) -> HttpResponse:
    """The page with the name as VTJ gives it, for this one answer."""
    try:
        told = mismatches.name_of(access(request, BASIS), _row(request, number))
    except Refused as error:
        return _refused(request, number, error)
    return _shown(request, number, name=told or _("VTJ gives no name."))


@require_POST
@needs(MANAGE_CLIENTSHIPS)
def right(request: HttpRequest, number: int) -> HttpResponse:
    """Yes, this is the person."""
    said = gettext_lazy("Thank you. What VTJ says of the client is shown again.")
    row = _row(request, number)
    return _done(request, number, mismatches.is_the_person, said, "client", row.person.subject)


@require_POST
@needs(MANAGE_CLIENTSHIPS)
def wrong(request: HttpRequest, number: int) -> HttpResponse:
    """No, it is not: first what goes, then, when that was confirmed, it goes."""
    chosen = [int(one) for one in request.POST.getlist("clientship") if one.isdecimal() and len(one) < 18]
    who, row = access(request, BASIS), _row(request, number)
    try:
        preview = mismatches.preview(who, row, chosen)
        # What is confirmed is what was shown, and nothing else.
        if request.POST.get("confirm") != preview.way:
            return _shown(request, number, wrong=preview)
        messages.success(request, str(SAID[mismatches.not_the_person(who, row, chosen)]))
    except Refused as error:
        return _refused(request, number, error)
    return redirect("problems")


def _shown(request: HttpRequest, number: int, **more: Any) -> HttpResponse:
    problem = selector.problem(access(request, BASIS), number)
    if problem is None:
        raise Http404
    return render(request, "registry/problem.html", {"problem": problem, "note": Note()} | more)


def _row(request: HttpRequest, number: int) -> Problem:
    row = selector.row(access(request, BASIS), number)
    if row is None:
        raise Http404
    return row


def _done(
    request: HttpRequest, number: int, act: Callable[[Access, Problem], object], said: str | Promise, *where: Any
) -> HttpResponse:
    """Does it, says so, and leads on."""
    try:
        act(access(request, BASIS), _row(request, number))
    except Refused as error:
        return _refused(request, number, error)
    messages.success(request, str(said))
    return redirect(*where)


def _refused(request: HttpRequest, number: int, error: Refused) -> HttpResponse:
    messages.error(request, str(error))
    still = selector.row(access(request, BASIS), number)
    return redirect("problem", number) if still and still.closed_at is None else redirect("problems")
