"""Two entries of one person: side by side, merged, or reported to DVV (domain.md D30)."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from registry.forms import Report
from registry.policies import MERGE_PERSONS
from registry.selectors import pairs as selector
from registry.selectors.pairs import Pair
from registry.services import merging
from registry.services.errors import Refused
from registry.views.access import access, needs
from registry.views.fresh import fresh_sign_in

BASIS: Final = "two entries of one person"


@require_safe
@needs(MERGE_PERSONS)
def page(request: HttpRequest, subject: UUID, other: UUID) -> HttpResponse:
    """Both entries, what differs, and what can be done."""
    return _shown(request, subject, other, form=Report())


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MERGE_PERSONS)
@fresh_sign_in()
def merge(request: HttpRequest, subject: UUID, other: UUID) -> HttpResponse:
    """What the merge will do; and the merge itself when that was confirmed."""
    who, pair = access(request, BASIS), _pair(request, subject, other)
    if request.method == "POST":
        try:
            stays = merging.merge(who, subject, other, request.POST.get("confirm", ""))
        except Refused as error:
            messages.error(request, str(error))
            return redirect("problems") if _gone(request, subject, other) else redirect("pair-merge", subject, other)
        messages.success(request, _("The two entries are one now. VTJ is being asked for the basic data."))
        return redirect("client", stays)
    preview = selector.preview(who, merging.plan(who, subject, other))
    return render(request, "registry/pair_merge.html", {"pair": pair, "preview": preview})


@require_POST
@needs(MERGE_PERSONS)
def report(request: HttpRequest, subject: UUID, other: UUID) -> HttpResponse:
    """Notes the day on which the case was reported to DVV."""
    _pair(request, subject, other)
    form = Report(request.POST)
    if not form.is_valid():
        return _shown(request, subject, other, form=form)
    try:
        merging.report(access(request, BASIS), subject, other, form.cleaned_data["day"])
    except Refused as error:
        form.add_error("day", str(error))
        return _shown(request, subject, other, form=form)
    messages.success(request, _("The report was noted. The problem stays open until it is solved."))
    return redirect("pair", subject, other)


def _shown(request: HttpRequest, subject: UUID, other: UUID, **more: Any) -> HttpResponse:
    return render(request, "registry/pair.html", {"pair": _pair(request, subject, other)} | more)


def _pair(request: HttpRequest, subject: UUID, other: UUID) -> Pair:
    pair = selector.side_by_side(access(request, BASIS), subject, other)
    if pair is None:
        raise Http404
    return pair


def _gone(request: HttpRequest, subject: UUID, other: UUID) -> bool:
    return merging.found(access(request, BASIS), subject, other) is None
