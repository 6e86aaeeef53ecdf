"""A client's own extract of the log: asked for, decided, given on paper or as a file (docs/adr/0018)."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from registry import sheets
from registry.extract_forms import AskExtract, DecideLines, RefuseExtract
from registry.policies import MAKE_LOG_EXTRACT
from registry.selectors import extracts as selector
from registry.selectors.extracts import Page
from registry.services import extracts
from registry.services.errors import Refused
from registry.views.access import access, needs
from registry.views.fresh import fresh_sign_in

BASIS: Final = "extract of the log for a client"


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MAKE_LOG_EXTRACT)
def listing(request: HttpRequest) -> HttpResponse:
    """What was asked for lately, and the form to begin another; the code travels by POST (domain.md G49)."""
    form = AskExtract(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        told = dict(form.cleaned_data)
        try:
            made = extracts.begin(access(request, BASIS), told.pop("hetu"), **told)
        except Refused as error:
            form.add_error(None, str(error))
        else:
            return redirect("log-extract", made.pk)
    rows = selector.listed(access(request, BASIS))
    return render(request, "registry/log_extracts.html", {"form": form, "rows": rows})


@require_safe
@needs(MAKE_LOG_EXTRACT)
def page(request: HttpRequest, number: int) -> HttpResponse:
    """The extract: what there is to decide, or as it is given, or the decision that it is not."""
    return _page(request, number, RefuseExtract())


@require_POST
@needs(MAKE_LOG_EXTRACT)
def lines(request: HttpRequest, number: int) -> HttpResponse:
    """The decisions about the lines of this page."""
    made = _found(request, number)
    form = DecideLines(made.lines, request.POST)
    if form.is_valid():
        try:
            extracts.decide_lines(access(request, BASIS), number, form.decisions())
        except Refused as error:
            messages.error(request, str(error))
            return redirect("log-extract", number)
    after = made.next if made.next and "next" in request.POST else ""
    answer = redirect("log-extract", number)
    answer["Location"] += f"?after={after}" if after else ""
    return answer


@require_POST
@needs(MAKE_LOG_EXTRACT)
def release(request: HttpRequest, number: int) -> HttpResponse:
    """It may be given to whoever asked."""
    try:
        extracts.release(access(request, BASIS), number)
    except Refused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The extract can be given: print it, or download it."))
    return redirect("log-extract", number)


@require_POST
@needs(MAKE_LOG_EXTRACT)
def refuse(request: HttpRequest, number: int) -> HttpResponse:
    """It is not given, by a written decision."""
    form = RefuseExtract(request.POST)
    if not form.is_valid():
        return _page(request, number, form)
    try:
        extracts.refuse(access(request, BASIS), number, **form.cleaned_data)
    except Refused as error:
        messages.error(request, str(error))
    return redirect("log-extract", number)


@require_POST
@needs(MAKE_LOG_EXTRACT)
@fresh_sign_in(back="log-extract")
def download(request: HttpRequest, number: int) -> HttpResponseBase:
    """The extract as a file."""
    form = request.POST.get("form", "")
    rows = selector.download(access(request, BASIS), number, form) if form in sheets.FORMS else None
    if rows is None:
        raise Http404
    return sheets.response(rows, form, "log-extract")


def _found(request: HttpRequest, number: int) -> Page:
    after = request.GET.get("after", request.POST.get("after", ""))[:18]
    start = int(after) if after.isdecimal() else 0
    made = selector.page(access(request, BASIS), number, start, whole="all" in request.GET)
    if made is None:
        raise Http404
    return made


def _page(request: HttpRequest, number: int, form: RefuseExtract) -> HttpResponse:
    made = _found(request, number)
    first = not request.GET.get("after")
    context: dict[str, Any] = {"page": made, "form": form, "headings": selector.HEADINGS, "first": first}
    if made.open and made.careful:
        chosen = DecideLines(made.lines)
        context["lines"] = [(line, chosen[f"line-{line.number}"]) for line in made.lines]
    return render(request, "registry/log_extract.html", context)
