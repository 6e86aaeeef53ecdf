"""The addresses of the register. None of them can hold anything of a person but the random id (domain.md G49)."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path
from django.views.i18n import set_language

from registry.forms import SignIn
from registry.views import (
    adding,
    audit_log,
    client,
    clients,
    clientships,
    erasures,
    importing,
    pairs,
    problems,
    protected,
    start,
)

sign_in = LoginView.as_view(
    template_name="registry/sign_in.html", authentication_form=SignIn, redirect_authenticated_user=True
)

urlpatterns = [
    path("", start.start, name="start"),
    path("sign-in/", sign_in, name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("language/", login_not_required(set_language), name="set-language"),
    path("clients/", clients.listing, name="clients"),
    path("clients/deceased/", clients.deceased, name="client-deceased"),
    path("clients/search/", clients.search, name="client-search"),
    path("clients/add/", adding.add, name="client-add"),
    path("clients/add/look-up/", adding.look_up, name="client-look-up"),
    path("clients/<uuid:subject>/", client.page, name="client"),
    path("clients/<uuid:subject>/code/", client.code, name="client-code"),
    path("clients/<uuid:subject>/print/", client.printed, name="client-print"),
    path("clients/<uuid:subject>/open/", protected.opening, name="client-open"),
    path("clients/<uuid:subject>/contact-address/", protected.contact, name="contact-address"),
    path("clients/<uuid:subject>/contact-address/remove/", protected.contact_removed, name="contact-address-remove"),
    path("clients/<uuid:subject>/check/", adding.check, name="client-check"),
    path("clients/<uuid:subject>/check/waiting/", adding.waiting, name="client-waiting"),
    path("clients/<uuid:subject>/check/mistaken/", adding.mistaken, name="client-mistaken"),
    path("clients/<uuid:subject>/withdraw/", adding.withdrawn, name="client-withdraw"),
    path("clients/clientships/<int:number>/end/", clientships.end, name="clientship-end"),
    path("clients/clientships/<int:number>/take-back/", clientships.take_back, name="clientship-take-back"),
    path("problems/", problems.listing, name="problems"),
    path("problems/<int:number>/", problems.page, name="problem"),
    path("problems/<int:number>/take-over/", protected.take_over, name="problem-take-over"),
    path("problems/<int:number>/ask/", problems.ask, name="problem-ask"),
    path("problems/<int:number>/aside/", problems.aside, name="problem-aside"),
    path("problems/<int:number>/name/", problems.name, name="problem-name"),
    path("problems/<int:number>/right/", problems.right, name="problem-right"),
    path("problems/<int:number>/wrong/", problems.wrong, name="problem-wrong"),
    path("problems/pair/<uuid:subject>/<uuid:other>/", pairs.page, name="pair"),
    path("problems/pair/<uuid:subject>/<uuid:other>/merge/", pairs.merge, name="pair-merge"),
    path("problems/pair/<uuid:subject>/<uuid:other>/report/", pairs.report, name="pair-report"),
    path("openings/", protected.openings, name="openings"),
    path("erasures/", erasures.page, name="erasures"),
    path("erasures/confirm/", erasures.confirm, name="erasure-confirm"),
    path("imports/", importing.listing, name="imports"),
    path("imports/template.csv", importing.template, name="import-template"),
    path("imports/<int:number>/", importing.page, name="import"),
    path("imports/<int:number>/progress/", importing.progress, name="import-progress"),
    path("imports/<int:number>/start/", importing.start, name="import-start"),
    path("imports/<int:number>/resume/", importing.resume, name="import-resume"),
    path("imports/<int:number>/cancel/", importing.cancel, name="import-cancel"),
    path("imports/<int:number>/bad-lines.csv", importing.bad_lines, name="import-bad-lines"),
    path("audit-log/", audit_log.page, name="audit-log"),
    path("audit-log/person/", audit_log.inquiry, name="audit-log-inquiry"),
]
