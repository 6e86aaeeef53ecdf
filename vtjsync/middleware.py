"""What is done around every page: the request's id, headers, and what is refused before it is read."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.core.signals import request_finished, request_started
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers

from vtjsync import logs, tallies

Respond = Callable[[HttpRequest], HttpResponse]

log = logging.getLogger(__name__)

ID_HEADER: Final = "X-Request-ID"
ID_VARIABLE: Final = "HTTP_X_REQUEST_ID"
# The longest form is a note; one page takes a file.
MAX_BODY: Final = 256 * 1024
UPLOAD: Final = "imports"
HEADERS: Final = {
    "Permissions-Policy": ", ".join(
        f"{name}=()"
        for name in (
            "accelerometer",
            "camera",
            "display-capture",
            "geolocation",
            "gyroscope",
            "microphone",
            "midi",
            "payment",
            "usb",
        )
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
}


@receiver(request_started, dispatch_uid="request id")
def begun(environ: Mapping[str, str], **_kwargs: Any) -> None:
    """Every line of the log, task and question to VTJ that comes of a request has its id. One that a proxy of ours has
    given is kept; from others it is not believed.

    A signal and no middleware: the framework logs an answer like 404 when the last middleware is done.
    """
    logs.begin_request(environ.get(ID_VARIABLE, "") if settings.TRUSTED_PROXIES else "")


@receiver(request_finished, dispatch_uid="request id")
def finished(**_kwargs: Any) -> None:
    """What had to be removed from the log is told to the other processes."""
    tallies.tell_removals()
    logs.end_request()


def headers(respond: Respond) -> Respond:
    """What every answer has, whoever made it."""

    def around(request: HttpRequest) -> HttpResponse:
        response = respond(request)
        response[ID_HEADER] = logs.request_id()
        for header, value in HEADERS.items():
            response.setdefault(header, value)
        if response.status_code == 302 and _page(request) == "sign-out":
            # Nor does who comes next find it by going back.
            response["Clear-Site-Data"] = '"cache", "storage"'
        if not response.has_header("Cache-Control"):
            # Whatever page it is: the next one at this machine does not find it in the browser.
            add_never_cache_headers(response)
        return response

    return around


def refusals(respond: Respond) -> Respond:
    """Who asked for what is not theirs, or for what there is not, stands in the log: the framework's own line tells the
    address and not who."""

    def around(request: HttpRequest) -> HttpResponse:
        response = respond(request)
        if response.status_code in (403, 404) and (page := _page(request)) and request.user.is_authenticated:
            log.warning("%s for user %s at %s", response.status_code, request.user.pk, page)
        return response

    return around


def small_bodies(respond: Respond) -> Respond:
    """Refuses a body that no form of ours can have, before any of it is read. A list of clients may be larger, from
    somebody who is signed in."""

    def around(request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        size = int(length) if length.isascii() and length.isdecimal() else None
        if size is not None and size <= MAX_BODY:
            return respond(request)
        uploads = request.method == "POST" and request.path == reverse(UPLOAD) and SESSION_KEY in request.session
        if uploads and size is not None and size <= settings.IMPORT_MAX_BYTES + MAX_BODY:
            return respond(request)
        megabytes = settings.IMPORT_MAX_BYTES // 1_000_000 if uploads else None
        return render(request, "413.html", {"megabytes": megabytes}, status=413)

    return around


def _page(request: HttpRequest) -> str:
    """The name of the page's address, as the addresses' lists have it; empty where there is no such page."""
    return (request.resolver_match and request.resolver_match.url_name) or ""
