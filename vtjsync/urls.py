"""Every address of the application."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from vtjsync.pages import operations

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("registry.urls")),
    path("sync/", include("vtjsync.pages.urls")),
    path("healthz", operations.healthz, name="healthz"),
    path("readyz", operations.readyz, name="readyz"),
    path("metrics", operations.numbers, name="metrics"),
]
handler500 = operations.fault
