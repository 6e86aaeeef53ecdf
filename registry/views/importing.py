"""The organisation's own list into the register: upload, preview, progress, result (outside.md, Import file)."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from registry import sheets
from registry.import_forms import Upload, typed_number
from registry.models import ImportJob
from registry.policies import IMPORT_CLIENTS
from registry.selectors import import_jobs as selector
from registry.services import import_jobs as service
from registry.services.errors import Refused
from registry.services.import_file import NotAList
from registry.views.access import access, asks_by_itself, needs


@require_http_methods(["GET", "HEAD", "POST"])
@needs(IMPORT_CLIENTS)
def listing(request: HttpRequest) -> HttpResponse:
    """The form, and the lists that one has uploaded."""
    who = access(request, service.BASIS)
    context = {"jobs": selector.own(who), "services": selector.services(who), "columns": selector.columns()}
    form = Upload(request.POST, request.FILES) if request.method == "POST" else Upload()
    if request.method == "POST" and form.is_valid():
        try:
            return redirect("import", service.upload(who, form.cleaned_data["file"].read()))
        except NotAList as error:
            for words in error.words:
                form.add_error("file", capfirst(words.translated()))
        except Refused as error:
            form.add_error(None, str(error))
    return render(request, "registry/imports.html", context | {"form": form})


@require_safe
@needs(IMPORT_CLIENTS)
def template(request: HttpRequest) -> HttpResponseBase:
    """A list without lines, to be filled in."""
    service.importer(access(request, service.BASIS))
    return sheets.response(selector.empty_list(), sheets.CSV, "clients")


@require_safe
@needs(IMPORT_CLIENTS)
def page(request: HttpRequest, number: int) -> HttpResponse:
    """How a list stands: progress, preview or result."""
    who = access(request, service.BASIS)
    one, place = _one(request, number), request.GET.get("page", "")[:6]
    wanted = int(place) if place.isascii() and place.isdecimal() else 1
    rows, pages = selector.bad_lines(who, number, wanted)
    at = min(max(wanted, 1), pages)
    context = {
        "one": one,
        "bad": rows,
        "page": at,
        "pages": pages,
        "earlier": at - 1,
        "later": at + 1 if at < pages else 0,
    }
    return render(request, "registry/import.html", context)


@require_safe
@needs(IMPORT_CLIENTS)
@asks_by_itself
def progress(request: HttpRequest, number: int) -> HttpResponse:
    """The part of the page that moves."""
    return render(request, "registry/import_progress.html", {"one": _one(request, number)})


@require_POST
@needs(IMPORT_CLIENTS)
def start(request: HttpRequest, number: int) -> HttpResponse:
    """The list is imported, after the number was typed where many will be erased."""
    try:
        service.start(access(request, service.BASIS), number, typed_number(request.POST.get("persons", "")))
    except ImportJob.DoesNotExist:
        raise Http404 from None
    except Refused as error:
        messages.error(request, str(error))
    return redirect("import", number)


@require_POST
@needs(IMPORT_CLIENTS)
def resume(request: HttpRequest, number: int) -> HttpResponse:
    """What was cut off goes on."""
    try:
        service.resume(access(request, service.BASIS), number)
    except ImportJob.DoesNotExist:
        raise Http404 from None
    return redirect("import", number)


@require_POST
@needs(IMPORT_CLIENTS)
def cancel(request: HttpRequest, number: int) -> HttpResponse:
    """The list is given up, and its content removed."""
    try:
        service.cancel(access(request, service.BASIS), number)
    except ImportJob.DoesNotExist:
        raise Http404 from None
    except Refused as error:
        messages.error(request, str(error))
        return redirect("import", number)
    messages.success(request, _("The list was removed. Nothing was imported."))
    return redirect("imports")


@require_safe
@needs(IMPORT_CLIENTS)
def bad_lines(request: HttpRequest, number: int) -> HttpResponseBase:
    """The bad lines as a file."""
    try:
        rows = selector.bad_lines_file(access(request, service.BASIS), number)
    except ImportJob.DoesNotExist:
        raise Http404 from None
    return sheets.response(rows, sheets.CSV, f"import-{number}")


def _one(request: HttpRequest, number: int) -> selector.Listed:
    try:
        return selector.one(access(request, service.BASIS), number)
    except ImportJob.DoesNotExist:
        raise Http404 from None
