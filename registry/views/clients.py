"""The list of clients, and the search that travels by POST (domain.md G49, H52)."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from registry.forms import Search
from registry.policies import SEE_CLIENTS
from registry.selectors import clients
from registry.views.access import access, needs


@require_safe
@needs(SEE_CLIENTS)
def listing(request: HttpRequest) -> HttpResponse:
    """All clients that the user may see, fifty at a time."""
    after, before = (_subject(request.GET.get(name)) for name in ("after", "before"))
    page = clients.listed(access(request, "client list"), after=after, before=before)
    return _page(request, Search(), page, search=False)


@require_safe
@needs(SEE_CLIENTS)
def deceased(request: HttpRequest) -> HttpResponse:
    """The worklist of clients who have died and whose clientship is open (domain.md A5)."""
    after, before = (_subject(request.GET.get(name)) for name in ("after", "before"))
    page = clients.deceased(access(request, "deceased clients"), after=after, before=before)
    return render(request, "registry/clients.html", {"form": Search(), "page": page, "deceased": True})


@require_http_methods(["GET", "HEAD", "POST"])
@needs(SEE_CLIENTS)
def search(request: HttpRequest) -> HttpResponse:
    """What one word or code finds. A reload without the words goes back to the list."""
    if request.method != "POST":
        return redirect("clients")
    form = Search(request.POST)
    page = clients.Page()
    if form.is_valid():
        who, told = access(request, "client search"), form.cleaned_data
        if form.code:
            page = clients.coded(who, form.code)
        else:
            page = clients.named(who, told["q"], after=told["after"], before=told["before"])
    return _page(request, form, page, search=True)


def _page(request: HttpRequest, form: Search, page: clients.Page, *, search: bool) -> HttpResponse:
    # The box is where the work begins; but who turns pages, or has found somebody, reads on from the top.
    if not (page.rows if search else request.GET):
        form.fields["q"].widget.attrs["autofocus"] = True
    return render(request, "registry/clients.html", {"form": form, "page": page, "search": search})


def _subject(text: str | None) -> UUID | None:
    """The random id in an address; whatever else stands there is the first page."""
    try:
        return UUID(text or "")
    except ValueError:
        return None
