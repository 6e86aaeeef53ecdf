"""Every address of the application."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("registry.urls")),
    path("sync/", include("vtjsync.pages.urls")),
]
