"""The addresses of the pages about the synchronisation."""

from __future__ import annotations

from django.urls import path

from vtjsync.pages import connection, control, decisions, runs

urlpatterns = [
    path("", runs.history, name="sync-history"),
    path("now/", control.now, name="sync-now"),
    path("schedule/", control.schedule, name="sync-schedule"),
    path("pause/", control.pause, name="sync-pause"),
    path("pause/end/", decisions.end_pause, name="sync-pause-end"),
    path("brake/release/", decisions.release, name="sync-brake-release"),
    path("brake/ask/", decisions.ask_again, name="sync-brake-ask"),
    path("cursor/<int:cohort>/reset/", decisions.reset, name="sync-cursor-reset"),
    path("budget/", runs.budget, name="sync-budget"),
    path("resume/", control.resume, name="sync-resume"),
    path("resume-look-ups/", control.resume_look_ups, name="sync-resume-look-ups"),
    path("connection/", connection.page, name="sync-connection"),
    path("connection/look/", connection.look, name="sync-connection-look"),
    path("connection/now/", connection.now, name="sync-connection-now"),
    path("starting/<int:after>/", runs.starting, name="sync-starting"),
    path("starting/<int:after>/look/", runs.look, name="sync-starting-look"),
    path("<int:number>/", runs.page, name="sync-run"),
    path("<int:number>/progress/", runs.progress, name="sync-run-progress"),
]
