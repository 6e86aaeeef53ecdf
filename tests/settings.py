"""The settings of the tests: the application's own, with keys and a database that are only for tests."""

from __future__ import annotations

import os
from pathlib import Path

VAR = Path(__file__).resolve().parent.parent / "var" / "test"

os.environ.update(
    VTJSYNC_MODE="demo",
    VTJSYNC_VAR=str(VAR),
    SECRET_KEY="only-for-tests-" * 4,
    AUDIT_KEY="only-for-tests-of-the-log-" * 2,
    HETU_ALLOW_TEST_CODES="true",
    VTJ_SERVER="http://127.0.0.1:9",
    VTJ_CLIENT="FI-TEST/MUN/0101263-6/vtjsync",
)
if not os.environ.get("DATABASE_URL"):
    from vtjsync.demo import postgres

    postgres.ensure_running(VAR, durable=False)

from vtjsync.settings import *  # noqa: E402, F403

# The real one takes a tenth of a second for every sign-in.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
