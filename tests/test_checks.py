"""The program does not start with settings or a database that are not safe."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from pytest_django import Settings

from registry.services import database_role
from tests import processes
from vtjsync import checks

SAFE: dict[str, Any] = {
    "DEMO": False,
    "DEBUG": False,
    "DEBUG_ASKED": False,
    "SECRET_KEY": "one-good-key-" * 5,
    "AUDIT_KEY": "another-key-" * 8,
    "ALLOWED_HOSTS": ["register.example.fi"],
    "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_SECURE": True,
    "SECURE_SSL_REDIRECT": True,
    "SECURE_HSTS_SECONDS": 31_536_000,
    "TRUSTED_PROXIES": 1,
    "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
    "VTJ_SERVER": "https://security-server.example.fi:8443",
    "VTJ_SERVER_CERT": "server.pem",
}
OIDC: dict[str, Any] = {
    "OIDC_OP_ISSUER": "https://login.example.fi",
    "OIDC_OP_AUTHORIZATION_ENDPOINT": "https://login.example.fi/authorize",
    "OIDC_OP_TOKEN_ENDPOINT": "https://login.example.fi/token",
    "OIDC_OP_JWKS_ENDPOINT": "https://login.example.fi/keys",
    "OIDC_RP_CLIENT_ID": "vtjsync",
    "OIDC_RP_CLIENT_SECRET": "only-for-tests",
    "OIDC_ROLES": ["vtj-kasittelijat=handler", "/vtj/paakayttajat=administrator"],
    "OIDC_UNITS": ["vtj-kasittelijat=KOTI"],
}
UNSAFE = [
    ("E001", {"DEBUG": True}),
    ("E001", {"DEBUG_ASKED": True}),
    ("E002", {"SECRET_KEY": "ab" * 30}),
    ("E002", {"AUDIT_KEY": "x" * 60}),
    ("E003", {"AUDIT_KEY": SAFE["SECRET_KEY"]}),
    ("E004", {"ALLOWED_HOSTS": ["*"]}),
    ("E005", {"SESSION_COOKIE_SECURE": False}),
    ("E005", {"CSRF_COOKIE_SECURE": False}),
    ("E005", {"SECURE_SSL_REDIRECT": False}),
    ("E005", {"SECURE_HSTS_SECONDS": 0}),
    ("E006", {"DEMO": True, "HETU_ALLOW_TEST_CODES": False}),
    ("E007", {"TRUSTED_PROXIES": -1, "SECURE_PROXY_SSL_HEADER": None}),
    ("E008", {"TRUSTED_PROXIES": 0}),
    ("E009", {"METRICS_ALLOW": ["10.0.0.0/8", "everybody"]}),
    ("E010", {"METRICS_TOKEN": "guess me"}),
    ("E011", {"SIGN_IN_ATTEMPTS": 0}),
    ("E011", {"SEARCHES_A_MINUTE": 0}),
    ("E012", {"CONTENT_SECURITY_POLICY": {"DIRECTIVES": {"script-src": ["'self'", "'unsafe-inline'"]}}}),
    ("E013", {"X_FRAME_OPTIONS": "SAMEORIGIN"}),
    ("E013", {"SECURE_CROSS_ORIGIN_OPENER_POLICY": None}),
    ("E014", {"VTJ_SERVER": "http://security-server.example.fi"}),
    ("E015", {"VTJ_SERVER_CERT": ""}),
    ("E011", {"SESSION_IDLE": timedelta(0)}),
    ("E030", {"LOCAL_ACCOUNTS": False}),
    ("E031", OIDC | {"OIDC_RP_CLIENT_SECRET": ""}),
    ("E031", OIDC | {"OIDC_OP_ISSUER": ""}),
    ("E031", OIDC | {"OIDC_ROLES": []}),
    ("E032", OIDC | {"OIDC_OP_TOKEN_ENDPOINT": "http://login.example.fi/token"}),
    ("E033", OIDC | {"OIDC_UNITS": ["KOTI"]}),
    ("E034", OIDC | {"OIDC_ROLES": ["everybody=king"]}),
]


def found(settings: Settings, **changed: Any) -> list[str]:
    for name, value in {**SAFE, **changed}.items():
        setattr(settings, name, value)
    messages = checks.settings_are_safe()
    assert all(one.msg and one.hint for one in messages)
    return [str(one.id).removeprefix("vtjsync.") for one in messages if one.is_serious()]


def test_nothing_is_said_of_settings_that_are_safe(settings: Settings) -> None:
    assert found(settings) == []
    assert found(settings, VTJ_SERVER="http://127.0.0.1:8080", VTJ_SERVER_CERT="") == []
    assert found(settings, **OIDC, LOCAL_ACCOUNTS=False) == []
    assert found(settings, **OIDC | {"OIDC_OP_TOKEN_ENDPOINT": "http://127.0.0.1:9400/token"}) == []
    assert found(settings, VTJ_SERVER="", VTJ_SERVER_CERT="", ALLOWED_HOSTS=[]) == []


@pytest.mark.parametrize(("word", "changed"), UNSAFE, ids=lambda one: one if isinstance(one, str) else "-".join(one))
def test_each_unsafe_setting_is_refused_by_name(settings: Settings, word: str, changed: dict[str, Any]) -> None:
    assert set(found(settings, **changed)) == {word}


@pytest.mark.parametrize(
    ("host", "options", "words"),
    [
        ("/run/postgresql", {}, []),
        ("127.0.0.1", {}, []),
        ("database.example.fi", {}, ["E016"]),
        ("database.example.fi", {"sslmode": "require"}, ["E016"]),
        ("database.example.fi", {"sslmode": "verify-full"}, []),
    ],
)
def test_another_machines_database_is_the_right_one_over_tls(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, host: str, options: dict[str, str], words: list[str]
) -> None:
    monkeypatch.setitem(settings.DATABASES["default"], "HOST", host)
    monkeypatch.setitem(settings.DATABASES["default"], "OPTIONS", options)
    assert found(settings) == words


def production(**more: str) -> dict[str, str]:
    """The environment of an installation as docs/operations.md describes it, and nothing of the test's own."""
    told = {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": secrets.token_urlsafe(48),
        "AUDIT_KEY": secrets.token_urlsafe(48),
        "DATABASE_URL": processes.environment()["DATABASE_URL"],
        "ALLOWED_HOSTS": "register.example.fi",
        "ERASURE_LEDGER": str(configured.ERASURE_LEDGER),
        "TRUSTED_PROXIES": "1",
        "VTJ_SERVER": "https://security-server.example.fi:8443",
        "VTJ_SERVER_CERT": "/etc/vtjsync/security-server.pem",
        "EMAIL_URL": "smtp://mail.example.fi:25",
        "ALARM_EMAILS": "on-call@example.fi",
    }
    return {name: value for name, value in {**told, **more}.items() if value}


def manage(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=processes.ROOT,
        env=production(**more),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def plain_role(transactional_db: None) -> Iterator[str]:
    """A role of the database as docs/operations.md asks for it; its address."""
    database = connection.settings_dict
    role = f"plain_{database['NAME']}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'plain'")
        for name, value in database_role.SETTINGS.items():
            cursor.execute(f"ALTER ROLE {role} SET {name} = '{value}'")
        yield processes.environment()["DATABASE_URL"].replace(f"{database['USER']}:", f"{role}:plain", 1)
        cursor.execute(f"DROP ROLE {role}")


def test_check_deploy_is_clean_in_production(plain_role: str) -> None:
    done = manage("check", "--deploy", "--database", "default", DATABASE_URL=plain_role)
    assert (done.returncode, done.stderr) == (0, "")
    assert "no issues (0 silenced)" in done.stdout


def test_no_command_starts_with_unsafe_settings(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("k" * 60)
    done = manage("unlock_sign_in", "--all", ALLOWED_HOSTS="*", SECRET_KEY="", SECRET_KEY_FILE=str(key), DEBUG="true")
    assert done.returncode == 1
    for word in ("vtjsync.E001", "vtjsync.E002", "vtjsync.E004"):
        assert word in done.stderr
    assert "k" * 60 not in done.stderr


@pytest.mark.parametrize(("proxies", "status"), [("0", 301), ("1", 302)], ids=["no proxy", "a proxy of ours"])
def test_only_a_proxy_of_ours_is_believed_that_it_was_spoken_to_over_tls(
    plain_role: str, proxies: str, status: int
) -> None:
    ask = """
from django.test import Client
answer = Client(SERVER_NAME="register.example.fi").get("/", HTTP_X_FORWARDED_PROTO="https")
print(answer.status_code, answer["Location"].split(":")[0])
"""
    done = manage("shell", "-c", ask, TRUSTED_PROXIES=proxies, DATABASE_URL=plain_role)
    assert done.stdout.rstrip().endswith({301: "301 https", 302: "302 /sign-in/?next=/"}[status]), done.stderr


def test_g46_the_role_of_the_program_does_not_own_the_tables(plain_role: str, settings: Settings) -> None:
    settings.DEMO = False
    role, owner = f"plain_{connection.settings_dict['NAME']}", connection.settings_dict["USER"]
    with connection.cursor() as cursor:
        try:
            cursor.execute(f"SET ROLE {role}")
            assert checks.role_owns_nothing(databases=["default"]) == []
            cursor.execute(f"RESET ROLE; GRANT {owner} TO {role}; SET ROLE {role}")
            assert [one.id for one in checks.role_owns_nothing(databases=["default"])] == ["vtjsync.E022"]
        finally:
            cursor.execute("RESET ROLE")


def test_cookies_and_hsts_of_production(transactional_db: None) -> None:
    """A browser that has been here once comes over TLS only, and what it keeps is nobody else's to set or read."""
    ask = """
from django.conf import settings
from django.test import Client, override_settings
plain = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
client = Client(SERVER_NAME="register.example.fi", HTTP_X_FORWARDED_PROTO="https")
with override_settings(STORAGES=settings.STORAGES | plain):
    print(client.get("/sign-in/")["Strict-Transport-Security"])
client.post("/language/", {"language": "sv"})
print(*(getattr(settings, f"SESSION_COOKIE_{one}") for one in ("NAME", "SECURE", "HTTPONLY", "SAMESITE", "DOMAIN")))
for one in client.cookies.values():
    print(one.key, *(one[told] or "-" for told in ("secure", "httponly", "samesite", "path", "domain", "max-age")))
"""
    done = manage("shell", "-c", ask)
    own = "True True Lax / - -"
    assert done.stdout.splitlines()[-4:] == [
        "max-age=31536000; includeSubDomains; preload",
        "__Host-sessionid True True Lax None",
        f"__Host-csrftoken {own}",
        f"__Host-django_language {own}",
    ], done.stderr


def test_the_log_of_production_is_json(plain_role: str) -> None:
    log = "import logging; logging.getLogger('vtjsync').info('%d persons', 3)"
    done = manage("shell", "-c", log, DATABASE_URL=plain_role)
    told = json.loads(done.stderr)
    assert (told["level"], told["message"], told["logger"]) == ("INFO", "3 persons", "vtjsync")
    assert told["request"] != "-"


@pytest.mark.parametrize("name", database_role.SETTINGS)
def test_the_workers_do_not_start_where_postgresql_would_log_values(plain_role: str, name: str) -> None:
    role = f"plain_{connection.settings_dict['NAME']}"
    with connection.cursor() as cursor:
        wrong = {"log_min_error_statement": "error", "log_error_verbosity": "default"}.get(name, "-1")
        cursor.execute(f"ALTER ROLE {role} SET {name} = '{wrong}'")
        cursor.execute(f"ALTER ROLE {role} SET log_min_duration_statement = '250ms'")
        cursor.execute(f"ALTER ROLE {role} SET log_parameter_max_length = '{wrong if name.endswith('length') else 0}'")
    done = manage("qcluster", DATABASE_URL=plain_role)
    assert done.returncode == 2
    assert done.stderr.count("vtjsync.E") == 1
    value = database_role.SETTINGS[name]
    assert f"ALTER ROLE \"{role}\" SET {name} = '{value}';" in done.stderr


def test_the_web_server_does_not_start_there_either(transactional_db: None) -> None:
    # The role of the tests is a superuser.
    done = subprocess.run(
        [sys.executable, "-m", "gunicorn", "vtjsync.wsgi", "--bind", "127.0.0.1:0", "--workers", "1"],
        cwd=processes.ROOT,
        env=production(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0
    assert "vtjsync.E021" in done.stderr
    assert "NOSUPERUSER" in done.stderr


@pytest.mark.django_db
def test_the_database_of_the_demo_is_safe(settings: Settings) -> None:
    assert checks.database_keeps_values_to_itself(databases=["default"]) == []
    settings.DEMO = False
    with pytest.raises(ImproperlyConfigured, match=r"vtjsync\.E021"):
        checks.refuse_unsafe()
