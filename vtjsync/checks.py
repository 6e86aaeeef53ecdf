"""What has to be so before the program may start, each in words that say what to do (domain.md G49, SECURITY.md).

Django runs the checks of the settings before every command. Those of the database need a connection: the web server and
the workers make them when they start (:func:`refuse_unsafe`), and ``check --database default``. In the demo they are
warnings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, Warning  # noqa: A004 - the framework's name
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from registry.policies import ROLES
from registry.services.database_role import SETTINGS

# As the framework itself counts.
MINIMUM_DIFFERENT: Final = 5
# What signing in at the organisation's own service needs; addresses first.
OIDC: Final = (
    "OIDC_OP_ISSUER",
    "OIDC_OP_AUTHORIZATION_ENDPOINT",
    "OIDC_OP_TOKEN_ENDPOINT",
    "OIDC_OP_JWKS_ENDPOINT",
    "OIDC_RP_CLIENT_ID",
    "OIDC_RP_CLIENT_SECRET",
    "OIDC_ROLES",
)
UNSAFE_SOURCES: Final = frozenset({"'unsafe-inline'", "'unsafe-eval'", "'unsafe-hashes'", "*", "http:", "https:"})
# Why the role is to have these settings, whose values the command that makes it has (database_role).
WHY: Final = {
    "log_min_error_statement": "the statement that failed would stand in PostgreSQL's log, with its values",
    "log_error_verbosity": "the row that a constraint refused would stand in PostgreSQL's log",
    "log_parameter_max_length_on_error": "the values of a statement that failed would stand in PostgreSQL's log",
}
# Where statements are logged, their values must not be.
LOGS_STATEMENTS: Final = """
    SELECT current_setting('log_statement') IN ('mod', 'all')
        OR current_setting('log_min_duration_statement')::interval >= interval '0'
        OR current_setting('log_min_duration_sample')::interval >= interval '0'
        OR current_setting('log_transaction_sample_rate')::float > 0
"""
# A superuser has a finding of its own.
OWNS: Final = """
    SELECT NOT rolsuper AND EXISTS (
        SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND pg_has_role(c.relowner, 'MEMBER'))
    FROM pg_roles WHERE rolname = current_user
"""


@checks.register(Tags.security)
def settings_are_safe(**_kwargs: Any) -> list[CheckMessage]:
    """Every setting with which the program does not start."""
    found = [*_network(), *_content(), *_vtj(), *_sign_in()]
    return found + ([*_demo()] if settings.DEMO else [*_production()])


@checks.register(Tags.security, deploy=True)
def somebody_is_told(**_kwargs: Any) -> list[CheckMessage]:
    """What is no danger by itself, and wanted in production."""
    return list(_advice())


@checks.register(Tags.database)
def database_keeps_values_to_itself(databases: Sequence[str] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """PostgreSQL writes no value into its own log (architecture: a failing row, statement or key would stand there)."""
    return [one for alias in databases or () for one in _role(alias)]


@checks.register(Tags.database, deploy=True)
def role_owns_nothing(databases: Sequence[str] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """The program's role does not own its tables: rights and triggers would not bind it (docs/adr/0013). Nothing that
    ``migrate`` is to be asked, which the owner runs."""
    found: list[CheckMessage] = []
    for alias in () if settings.DEMO else databases or ():
        with connections[alias].cursor() as cursor:
            cursor.execute(OWNS)
            if cursor.fetchone()[0]:
                hint = "Run web server and workers with a role that database_role has made (docs/operations.md)."
                words = "The program's database role owns the tables, and could put off what protects them."
                found.append(Error(words, hint=hint, id="vtjsync.E022"))
    return found


def refuse_unsafe() -> None:
    """For what serves: all checks, those of the database too. Raises ImproperlyConfigured with the words."""
    found = checks.run_checks(databases=["default"], include_deployment_checks=True)
    errors = [str(one) for one in found if one.is_serious() and not one.is_silenced()]
    if errors:
        raise ImproperlyConfigured("The program does not start like this:\n" + "\n".join(errors))


def _production() -> Iterator[CheckMessage]:
    if settings.DEBUG or settings.DEBUG_ASKED:
        yield Error("DEBUG is on.", hint="Take DEBUG=true out: it is for the demo only.", id="vtjsync.E001")
    keys = {"SECRET_KEY": settings.SECRET_KEY, "AUDIT_KEY": settings.AUDIT_KEY}
    for name, key in keys.items():
        if len(set(key)) < MINIMUM_DIFFERENT:
            hint = "Make one: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
            yield Error(f"{name} can be guessed.", hint=hint, id="vtjsync.E002")
    if len(set(keys.values())) < len(keys):
        hint = "Make another one for either. With a new AUDIT_KEY old entries of the log are not found by code."
        yield Error("SECRET_KEY and AUDIT_KEY are the same.", hint=hint, id="vtjsync.E003")
    # Without any name no page is served, which is safe, and commands need none.
    if "*" in settings.ALLOWED_HOSTS:
        hint = "Set ALLOWED_HOSTS to the names under which the pages are served."
        yield Error("ALLOWED_HOSTS allows any name.", hint=hint, id="vtjsync.E004")
    for name in ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS"):
        if not getattr(settings, name):
            hint = "vtjsync/settings.py turns it on in production: undo what turned it off."
            yield Error(f"{name} is off.", hint=hint, id="vtjsync.E005")
    database = settings.DATABASES["default"]
    host = database["HOST"]
    here = not host or host.startswith("/") or _is_this_machine(host)
    if not here and database["OPTIONS"].get("sslmode") not in {"verify-full", "verify-ca"}:
        hint = "Add ?sslmode=verify-full&sslrootcert=/path/of/its/authority.pem to DATABASE_URL."
        words = "The database is another machine, and nothing says that it has to be the right one, over TLS."
        yield Error(words, hint=hint, id="vtjsync.E016")


def _demo() -> Iterator[CheckMessage]:
    if not settings.HETU_ALLOW_TEST_CODES:
        hint = "Set HETU_ALLOW_TEST_CODES=true, or VTJSYNC_MODE=production."
        yield Error("The demo is not safe enough for real identity codes.", hint=hint, id="vtjsync.E006")


def _network() -> Iterator[CheckMessage]:
    if settings.TRUSTED_PROXIES < 0:
        yield Error("TRUSTED_PROXIES is below 0.", hint="0: no proxy; else how many there are.", id="vtjsync.E007")
    if settings.SECURE_PROXY_SSL_HEADER and settings.TRUSTED_PROXIES < 1:
        hint = "Set TRUSTED_PROXIES, or take SECURE_PROXY_SSL_HEADER out of the settings."
        words = "X-Forwarded-Proto is believed though no proxy is trusted: anybody could send it."
        yield Error(words, hint=hint, id="vtjsync.E008")
    for name in settings.METRICS_ALLOW:
        try:
            ip_network(name)
        except ValueError:
            hint = "Write addresses or networks with commas between: 10.0.0.5,10.1.0.0/24"
            yield Error("METRICS_ALLOW holds something that is no network.", hint=hint, id="vtjsync.E009")
    if settings.METRICS_TOKEN and len(settings.METRICS_TOKEN) < 16:
        yield Error("METRICS_TOKEN can be guessed.", hint="Use 16 characters or more.", id="vtjsync.E010")
    for name in ("SIGN_IN_ATTEMPTS", "SEARCHES_A_MINUTE"):
        if getattr(settings, name) < 1:
            yield Error(f"{name} is below 1.", hint="Nobody could do it at all.", id="vtjsync.E011")
    times = {
        "SESSION_IDLE_MINUTES": settings.SESSION_IDLE,
        "SESSION_HOURS": settings.SESSION_LONGEST,
        "FRESH_SIGN_IN_MINUTES": settings.FRESH_SIGN_IN,
    }
    for name, time in times.items():
        if time <= timedelta(0):
            yield Error(f"{name} is below 1.", hint="Nobody could do it at all.", id="vtjsync.E011")


def _content() -> Iterator[CheckMessage]:
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    if any(UNSAFE_SOURCES.intersection(map(str, sources)) for sources in directives.values()):
        hint = "Move the script or style to a file in static/."
        yield Error("The content security policy allows what it is there to refuse.", hint=hint, id="vtjsync.E012")
    if settings.X_FRAME_OPTIONS != "DENY" or settings.SECURE_CROSS_ORIGIN_OPENER_POLICY != "same-origin":
        hint = "Undo what changed X_FRAME_OPTIONS or SECURE_CROSS_ORIGIN_OPENER_POLICY."
        yield Error("Other sites could put a page of ours into theirs.", hint=hint, id="vtjsync.E013")


def _vtj() -> Iterator[CheckMessage]:
    if not settings.VTJ_SERVER:
        return
    server = urlsplit(settings.VTJ_SERVER)
    if server.scheme == "http" and not _is_this_machine(server.hostname or ""):
        hint = "Use https, with VTJ_SERVER_CERT; plain http is only for an address of this machine."
        yield Error("VTJ_SERVER is another machine over plain http.", hint=hint, id="vtjsync.E014")
    if server.scheme == "https" and not settings.VTJ_SERVER_CERT:
        hint = "Set it to the PEM file of the security server's own certificate."
        yield Error("VTJ_SERVER_CERT is missing: nothing says which server to trust.", hint=hint, id="vtjsync.E015")


def _sign_in() -> Iterator[CheckMessage]:
    """Signing in at the organisation's own service: all of it or nothing (docs/adr/0017)."""
    missing = [name for name in OIDC if not getattr(settings, name)]
    if missing == list(OIDC):
        if not settings.LOCAL_ACCOUNTS:
            hint = "Set LOCAL_ACCOUNTS=true, or the settings that begin with OIDC_."
            yield Error("Nobody can sign in: neither local accounts nor OpenID Connect.", hint=hint, id="vtjsync.E030")
        return
    if missing:
        words = f"OpenID Connect is set in part: {', '.join(missing)} is missing."
        yield Error(words, hint="Set it, or take all of them out: then it is off.", id="vtjsync.E031")
    for name in OIDC[:4]:
        address = urlsplit(getattr(settings, name))
        local = address.scheme == "http" and _is_this_machine(address.hostname or "")
        if getattr(settings, name) and address.scheme != "https" and not local:
            hint = "Use https; plain http is only for an address of this machine."
            yield Error(f"{name} is no https address.", hint=hint, id="vtjsync.E032")
    for pair in [*settings.OIDC_ROLES, *settings.OIDC_UNITS]:
        if not all(part.strip() for part in pair.rpartition("=")):
            hint = "Write value=name, with commas between."
            yield Error("OIDC_ROLES or OIDC_UNITS holds something that is no pair.", hint=hint, id="vtjsync.E033")
    for role in sorted({pair.rpartition("=")[2].strip() for pair in settings.OIDC_ROLES} - {"", *ROLES}):
        hint = f"There are {', '.join(ROLES)}."
        yield Error(f"OIDC_ROLES names the role {role}, which there is not.", hint=hint, id="vtjsync.E034")


def _advice() -> Iterator[CheckMessage]:
    if settings.EMAIL_BACKEND.endswith("dummy.EmailBackend") or not settings.ALARM_EMAILS:
        hint = "Set EMAIL_URL and ALARM_EMAILS: what has to be looked at stands only in the log now."
        yield Warning("Nobody is told of alarms.", hint=hint, id="vtjsync.W001")
    for path in (settings.BASE_DIR / ".env", settings.VTJ_KEY):
        if path and Path(path).is_file() and Path(path).stat().st_mode & 0o007:
            words = f"Everybody on this machine may read {Path(path).name}."
            yield Warning(words, hint="chmod 600, and the program's user as its owner.", id="vtjsync.W002")


def _role(alias: str) -> Iterator[CheckMessage]:
    level = Warning if settings.DEMO else Error
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user")
        role, is_super = cursor.fetchone()
        wanted = dict(WHY)
        cursor.execute(LOGS_STATEMENTS)
        if cursor.fetchone()[0]:
            wanted["log_parameter_max_length"] = "the values of logged statements would stand there too"
        for name, why in wanted.items():
            value = SETTINGS[name]
            cursor.execute("SELECT current_setting(%s)", [name])
            if cursor.fetchone()[0] != value:
                hint = f"As the database's administrator: ALTER ROLE \"{role}\" SET {name} = '{value}';"
                yield level(f"{name} of the database role is not {value}: {why}.", hint=hint, id="vtjsync.E020")
    if is_super and not settings.DEMO:
        hint = f'As another administrator of the database: ALTER ROLE "{role}" NOSUPERUSER;'
        words = "The program's database role is a superuser, whom no trigger or right holds back."
        yield Error(words, hint=hint, id="vtjsync.E021")


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
