"""Settings: everything an operator can set is in the first block; the rest follows from it.

docs/operations.md describes each name; a test fails when one is missing there or in .env.example.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(os.environ.get("VTJSYNC_VAR", BASE_DIR / "var"))

DEMO = os.environ.get("VTJSYNC_MODE", "production") == "demo"
environ.Env.read_env(VAR_DIR / "demo.env" if DEMO else BASE_DIR / ".env")

# environ.FileAwareEnv reads NAME_FILE where NAME is asked for: secrets can come from files.
env = environ.FileAwareEnv(
    DATABASE_URL=(str, ""),
    SECRET_KEY=(str, ""),
    AUDIT_KEY=(str, ""),
    AUDIT_KEY_FORMER=(str, ""),
    AUDIT_LOG_YEARS=(int, 5),
    ALLOWED_HOSTS=(list, ["localhost", "127.0.0.1"] if DEMO else []),
    DEBUG=(bool, False),
    TRUSTED_PROXIES=(int, 0),
    HETU_ALLOW_TEST_CODES=(bool, False),
    VTJ_SERVER=(str, ""),
    VTJ_CLIENT=(str, ""),
    VTJ_SERVICE=(str, "FI-TEST/GOV/0245437-2/VTJmutpa/VTJmutpa"),
    VTJ_USERNAME=(str, ""),
    VTJ_PASSWORD=(str, ""),
    VTJ_AUTH_HEADER=(str, "Authorization"),
    VTJ_EXTRA_HEADERS=(dict, {}),
    VTJ_CERT=(str, ""),
    VTJ_KEY=(str, ""),
    VTJ_SERVER_CERT=(str, ""),
    VTJ_CONNECT_TIMEOUT=(float, 10.0),
    VTJ_READ_TIMEOUT=(float, 60.0),
    VTJ_DEADLINE=(float, 300.0),
    VTJ_BASIC_DATA_BATCH=(int, 1000),
    VTJ_COHORT_SIZE=(int, 10_000),
    VTJ_RATE_LIMIT=(int, 0),
    VTJ_CURSOR_RESET_ON=(list, []),
    VTJ_CLOCK_TOLERANCE_SECONDS=(int, 300),
    RECONCILE_DAYS=(int, 20),
    VTJKYSELY_CLIENT=(str, ""),
    VTJKYSELY_SERVICE=(str, ""),
    VTJKYSELY_PRODUCT=(str, ""),
    VTJKYSELY_USERNAME=(str, ""),
    VTJKYSELY_PASSWORD=(str, ""),
    VTJKYSELY_INVOICING=(str, ""),
    VTJKYSELY_DEADLINE=(float, 15.0),
    VTJKYSELY_DAILY_LIMIT=(int, 30),
    LOCATION_WARN_HOURS=(int, 26),
    LOCATION_HIDE_HOURS=(int, 24 * 7),
    ENDED_CLIENTSHIP_DAYS=(int, 30),
    ERASURE_LEDGER=(str, ""),
    APPLIED_CHANGE_MONTHS=(int, 13),
    EMERGENCY_MINUTES=(int, 60),
    IMPORT_MAX_MEGABYTES=(int, 20),
    IMPORT_WAIT_HOURS=(int, 24),
    SIGN_IN_ATTEMPTS=(int, 5),
    SESSION_IDLE_MINUTES=(int, 30),
    SESSION_HOURS=(int, 10),
    FRESH_SIGN_IN_MINUTES=(int, 5),
    LOCAL_ACCOUNTS=(bool, True),
    OIDC_OP_ISSUER=(str, ""),
    OIDC_OP_AUTHORIZATION_ENDPOINT=(str, ""),
    OIDC_OP_TOKEN_ENDPOINT=(str, ""),
    OIDC_OP_JWKS_ENDPOINT=(str, ""),
    OIDC_RP_CLIENT_ID=(str, ""),
    OIDC_RP_CLIENT_SECRET=(str, ""),
    OIDC_RP_SCOPES=(str, "openid profile"),
    OIDC_GROUPS_CLAIM=(str, "groups"),
    OIDC_ROLES=(list, []),
    OIDC_UNITS=(list, []),
    SEARCHES_A_MINUTE=(int, 30),
    UNKNOWN_AFTER_HOURS=(int, 3),
    LOG_FORMAT=(str, "plain" if DEMO else "json"),
    METRICS_ALLOW=(list, []),
    METRICS_TOKEN=(str, ""),
    EMAIL_URL=(str, ""),
    EMAIL_FROM=(str, ""),
    ALARM_EMAILS=(list, []),
    ALARM_EMAILS_GRAVE=(list, []),
    EMERGENCY_EMAILS=(list, []),
)


def required(name: str, minimum: int = 1) -> str:
    """The setting's value; refuses to start without it (docs/operations.md says what each is for)."""
    value: str = env(name)
    if len(value) < minimum:
        raise ImproperlyConfigured(
            f"{name} is missing or shorter than {minimum} characters. See .env.example and docs/operations.md."
        )
    return value


SECRET_KEY = required("SECRET_KEY", 32)
# A file ends with the end of a line, which is no part of the key.
AUDIT_KEY = required("AUDIT_KEY", 32).strip()
AUDIT_KEY_FORMER: list[str] = env("AUDIT_KEY_FORMER").split()
AUDIT_LOG_YEARS: int = env("AUDIT_LOG_YEARS")
DEBUG_ASKED: bool = env("DEBUG")
DEBUG = DEBUG_ASKED and DEMO
ALLOWED_HOSTS = env("ALLOWED_HOSTS")
TRUSTED_PROXIES: int = env("TRUSTED_PROXIES")

if env("DATABASE_URL"):
    database: dict[str, Any] = env.db_url_config(env("DATABASE_URL"))
elif DEMO:
    from vtjsync.demo import postgres

    database = postgres.ensure_running(VAR_DIR)
else:
    raise ImproperlyConfigured("DATABASE_URL is missing: production needs PostgreSQL 15 or newer.")
# Server-side binding keeps values out of the statements that PostgreSQL logs.
database.setdefault("OPTIONS", {}).update(server_side_binding=True)
DATABASES = {"default": database | {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# What the application asks of VTJ. vtjsync.engine.connection makes a client of these.
HETU_ALLOW_TEST_CODES: bool = env("HETU_ALLOW_TEST_CODES")
VTJ_SERVER: str = env("VTJ_SERVER")
VTJ_CLIENT: str = env("VTJ_CLIENT")
VTJ_SERVICE: str = env("VTJ_SERVICE")
VTJ_USERNAME: str = env("VTJ_USERNAME")
VTJ_PASSWORD: str = env("VTJ_PASSWORD")
VTJ_AUTH_HEADER: str = env("VTJ_AUTH_HEADER")
VTJ_EXTRA_HEADERS: dict[str, str] = env("VTJ_EXTRA_HEADERS")
VTJ_CERT: str = env("VTJ_CERT")
VTJ_KEY: str = env("VTJ_KEY")
VTJ_SERVER_CERT: str = env("VTJ_SERVER_CERT")
VTJ_CONNECT_TIMEOUT: float = env("VTJ_CONNECT_TIMEOUT")
VTJ_READ_TIMEOUT: float = env("VTJ_READ_TIMEOUT")
VTJ_DEADLINE: float = env("VTJ_DEADLINE")
VTJ_BASIC_DATA_BATCH: int = env("VTJ_BASIC_DATA_BATCH")
VTJ_COHORT_SIZE: int = env("VTJ_COHORT_SIZE")
VTJ_RATE_LIMIT: int = env("VTJ_RATE_LIMIT")
VTJ_CURSOR_RESET_ON: list[str] = env("VTJ_CURSOR_RESET_ON")
VTJ_CLOCK_TOLERANCE = timedelta(seconds=env("VTJ_CLOCK_TOLERANCE_SECONDS"))
# Single look-ups, over the same security server. vtjsync.engine.look_up makes a client of these.
VTJKYSELY_CLIENT: str = env("VTJKYSELY_CLIENT")
VTJKYSELY_SERVICE: str = env("VTJKYSELY_SERVICE")
VTJKYSELY_PRODUCT: str = env("VTJKYSELY_PRODUCT")
VTJKYSELY_USERNAME: str = env("VTJKYSELY_USERNAME")
VTJKYSELY_PASSWORD: str = env("VTJKYSELY_PASSWORD")
VTJKYSELY_INVOICING: str = env("VTJKYSELY_INVOICING")
VTJKYSELY_DEADLINE: float = env("VTJKYSELY_DEADLINE")
VTJKYSELY_DAILY_LIMIT: int = env("VTJKYSELY_DAILY_LIMIT")
RECONCILE_DAYS: int = env("RECONCILE_DAYS")
LOCATION_WARN = timedelta(hours=env("LOCATION_WARN_HOURS"))
LOCATION_HIDE = timedelta(hours=env("LOCATION_HIDE_HOURS"))
ENDED_CLIENTSHIP_DAYS: int = env("ENDED_CLIENTSHIP_DAYS")
# On another disk than the database's, so that no restore takes it back: nothing can be assumed of where that is.
ERASURE_LEDGER = (
    VAR_DIR / "erasure-ledger.jsonl" if DEMO and not env("ERASURE_LEDGER") else Path(required("ERASURE_LEDGER"))
)
APPLIED_CHANGE_MONTHS: int = env("APPLIED_CHANGE_MONTHS")
EMERGENCY_MINUTES: int = env("EMERGENCY_MINUTES")
# Of a list that is imported by the pages. It is taken up in memory: no temporary file of it is left on a disk.
IMPORT_MAX_BYTES: int = env("IMPORT_MAX_MEGABYTES") * 1_000_000
IMPORT_WAIT = timedelta(hours=env("IMPORT_WAIT_HOURS"))
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = IMPORT_MAX_BYTES + 1_000_000
# How often one may try to sign in, and search (vtjsync.limits).
SIGN_IN_ATTEMPTS: int = env("SIGN_IN_ATTEMPTS")
SEARCHES_A_MINUTE: int = env("SEARCHES_A_MINUTE")
# A session ends when it is not used, and however it is used; grave acts want a sign-in that is fresh (docs/adr/0017).
SESSION_IDLE = timedelta(minutes=env("SESSION_IDLE_MINUTES"))
SESSION_LONGEST = timedelta(hours=env("SESSION_HOURS"))
FRESH_SIGN_IN = timedelta(minutes=env("FRESH_SIGN_IN_MINUTES"))
# Signing in at the organisation's own service, by the names of mozilla-django-oidc where it has one.
OIDC_OP_ISSUER: str = env("OIDC_OP_ISSUER")
OIDC_OP_AUTHORIZATION_ENDPOINT: str = env("OIDC_OP_AUTHORIZATION_ENDPOINT")
OIDC_OP_TOKEN_ENDPOINT: str = env("OIDC_OP_TOKEN_ENDPOINT")
OIDC_OP_JWKS_ENDPOINT: str = env("OIDC_OP_JWKS_ENDPOINT")
OIDC_RP_CLIENT_ID: str = env("OIDC_RP_CLIENT_ID")
OIDC_RP_CLIENT_SECRET: str = env("OIDC_RP_CLIENT_SECRET").strip()
OIDC_RP_SCOPES: str = env("OIDC_RP_SCOPES")
OIDC_GROUPS_CLAIM: str = env("OIDC_GROUPS_CLAIM")
# Pairs ``value=name``; a value can stand in several.
OIDC_ROLES: list[str] = env("OIDC_ROLES")
OIDC_UNITS: list[str] = env("OIDC_UNITS")
LOCAL_ACCOUNTS: bool = env("LOCAL_ACCOUNTS")
# After so long without a complete run nobody knows whose ban has begun (vtjsync.alarms).
UNKNOWN_AFTER = timedelta(hours=env("UNKNOWN_AFTER_HOURS"))
METRICS_ALLOW: list[str] = env("METRICS_ALLOW")
METRICS_TOKEN: str = env("METRICS_TOKEN")
ALARM_EMAILS: list[str] = env("ALARM_EMAILS")
ALARM_EMAILS_GRAVE: list[str] = env("ALARM_EMAILS_GRAVE")
EMERGENCY_EMAILS: list[str] = env("EMERGENCY_EMAILS")
# EMAIL_HOST and the like. Without a server nothing is sent: alarms stand in the log.
vars().update(env.email_url_config(env("EMAIL_URL") or "dummymail://"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env("EMAIL_FROM") or "vtjsync@localhost"

INSTALLED_APPS = [
    "registry",
    "vtjsync",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_q",
    "pgtrigger",
    "csp",
]
MIDDLEWARE = [
    "vtjsync.middleware.headers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "vtjsync.middleware.small_bodies",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "vtjsync.middleware.refusals",
    "registry.middleware.SignedIn",
    "vtjsync.limits.Limits",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "vtjsync.urls"
WSGI_APPLICATION = "vtjsync.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

AUTH_USER_MODEL = "registry.User"
AUTHENTICATION_BACKENDS = (["django.contrib.auth.backends.ModelBackend"] if LOCAL_ACCOUNTS else []) + (
    ["registry.oidc.Backend"] if OIDC_OP_ISSUER else []
)
OIDC_RP_SIGN_ALGO = "RS256"
OIDC_USE_NONCE = OIDC_USE_PKCE = OIDC_VERIFY_SSL = True
OIDC_TIMEOUT = 10
OIDC_AUTHENTICATION_CALLBACK_URL = "oidc-callback"
# Nothing is asked there: who somebody is and may do is told by the signed token alone.
OIDC_OP_USER_ENDPOINT = ""
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": "registry.passwords.NotTheName"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "registry.passwords.Length", "OPTIONS": {"min_length": 12}},
    {"NAME": "registry.passwords.NoneOfOurWords"},
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "start"
LOGOUT_REDIRECT_URL = "sign-in"

LANGUAGE_CODE = "fi"
LANGUAGES = [("fi", _("Finnish")), ("sv", _("Swedish")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = "Europe/Helsinki"

STATIC_URL = "static/"
# In demo mode the files are served from where they lie.
STATIC_ROOT = None if DEMO else BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEMO
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEMO
WHITENOISE_MIMETYPES = {".svg": "image/svg+xml; charset=utf-8"}

# The defaults of django-q2 repeat a task that runs long and catch up on missed schedules; neither is wanted: the truth
# about a run is its own row and lock (docs/adr).
Q_CLUSTER = {
    "name": "vtjsync",
    "orm": "default",
    # A sync and a reconciliation can each take long; somebody who was just added does not wait for either.
    "workers": 3,
    "timeout": 6 * 3600,
    "retry": 6 * 3600 + 600,
    "max_attempts": 1,
    "catch_up": False,
    "poll": 0.5,
    "save_limit": 250,
    "label": "vtjsync",
}

LOG_FORMAT: str = env("LOG_FORMAT")
if LOG_FORMAT not in {"plain", "json"}:
    raise ImproperlyConfigured("LOG_FORMAT is plain or json.")
# All of it goes to standard error. Django would mail what was posted, and mute failing pages outside of DEBUG. The web
# server's workers write in the same form as the application.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "vtjsync.logs.WithoutTexts",
            "format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s]: %(message)s",
        },
        "json": {"()": "vtjsync.logs.Json"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": []},
        "gunicorn.error": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        "vtjsync": {"level": "INFO"},
    },
}

# Demo runs over plain http on this machine; anything else is behind TLS.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE_SSL_REDIRECT = not DEMO
# With this prefix a browser takes a cookie over TLS only, and from this very host: no neighbour can set it.
HOST_ONLY = "" if DEMO else "__Host-"
SESSION_COOKIE_NAME = f"{HOST_ONLY}sessionid"
CSRF_COOKIE_NAME = f"{HOST_ONLY}csrftoken"
LANGUAGE_COOKIE_NAME = f"{HOST_ONLY}django_language"
LANGUAGE_COOKIE_SAMESITE = "Lax"
# Like the others until the browser is closed, and not for a year.
CSRF_COOKIE_AGE = None
# What a page has to say after an act stays on the server, and is no cookie.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
# Only a proxy of ours is believed when it says that it was spoken to over TLS.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES > 0 else None
# What watches the program asks from inside, without TLS; none of it tells anything of a person.
SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$", "^metrics$"]
SECURE_HSTS_SECONDS = 0 if DEMO else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEMO
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_ENGINE = "registry.sessions"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
