"""The addresses of the register. None of them can hold anything of a person but the random id (domain.md G49)."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LogoutView
from django.urls import path
from django.views.i18n import set_language

from registry.views import (
    account,
    adding,
    audit_log,
    client,
    clients,
    clientships,
    erasures,
    fresh,
    oidc,
    pairs,
    problems,
    protected,
    signing,
    start,
)

urlpatterns = [
    path("", start.start, name="start"),
    path("sign-in/", signing.SignInPage.as_view(), name="sign-in"),
    path("sign-in/again/", fresh.again, name="sign-in-again"),
    path("oidc/begin/", login_not_required(oidc.Begin.as_view()), name="oidc-begin"),
    path("oidc/callback/", login_not_required(oidc.Callback.as_view()), name="oidc-callback"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("account/", account.page, name="account"),
    path("account/end/", account.end, name="account-end"),
    path("account/password/", account.password, name="password"),
    path("sessions/", account.everybody, name="sessions"),
    path("sessions/end/", account.end_all, name="sessions-end"),
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
    path("audit-log/", audit_log.page, name="audit-log"),
    path("audit-log/person/", audit_log.inquiry, name="audit-log-inquiry"),
]
