"""Leaks that were planted: one in each kind of place, in the spelling that it would have there.

The word is a place of somebody protected unless the plant says otherwise. Whatever is planted must be found by the hunt
in the place that the table names, or the hunt is blind there.
"""

from __future__ import annotations

import json
import logging
from base64 import b64encode
from collections.abc import Callable
from typing import Any, Final

from django.core.mail import EmailMessage
from django.db import connection
from django.http import HttpResponse
from django_q.models import Task
from django_q.tasks import async_task

from registry import lock
from registry.models import Clientship, Person
from tests import evidence
from tests.hunt.month import Month

Plant = Callable[[Month, Person, str], None]
FORGOTTEN: Final = "forgotten"


def sql(statement: str, encode: Callable[[str], Any] = str) -> Plant:
    """The statement, past the triggers; it takes the word, and then the person where it asks for one."""

    def plant(_month: Month, person: Person, word: str) -> None:
        values = [encode(word), person.pk][: statement.count("%s")]
        evidence.tamper(statement, *values)

    return plant


def logged(message: str, encode: Callable[[str], str] = str, logger: str = "urllib3.connectionpool") -> Plant:
    """A line of a library at its most talkative."""

    def plant(month: Month, _person: Person, word: str) -> None:
        with month.heard.listening():
            logging.getLogger(logger).debug(message, encode(word))

    return plant


def shown(name: str) -> Plant:
    """On a terminal, in the newest export or a file, as it is or in the numbers."""

    def plant(month: Month, _person: Person, word: str) -> None:
        month.kept[name] += f"\n{word}"

    return plant


def filed(name: str, encode: Callable[[str], bytes]) -> Plant:
    """A file that the program would keep."""

    def plant(month: Month, _person: Person, word: str) -> None:
        file = month.folder / "var" / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(encode(word))

    return plant


def mailed(month: Month, _person: Person, word: str) -> None:
    """In a mail with letters that make it go as base64."""
    del month
    EmailMessage("alarm", f"ääni {word} " * 9, to=["a@example.fi"]).send()


def in_session(month: Month, _person: Person, word: str) -> None:
    session = month.staff.desks["aino"].browser.session
    session["added"] = {"of": word * 3}
    session.save()


def in_ledger(_month: Month, _person: Person, word: str) -> None:
    lock.write("mark", {"of": word})


def queued(_month: Month, _person: Person, word: str) -> None:
    async_task("vtjsync.tasks.fetch", word)


def done(_month: Month, _person: Person, word: str) -> None:
    Task.objects.create(
        id="planted", name="planted", func="f", started="2026-01-01T00:00Z", stopped="2026-01-01T00:00Z"
    )
    Task.objects.filter(id="planted").update(result={"of": word}, success=True)


def raised(_month: Month, _person: Person, word: str) -> None:
    """A function in the database whose message has the value in it."""
    with connection.cursor() as cursor:
        cursor.execute(f"DO $$ BEGIN RAISE LOG 'at {word}'; END $$")


def sampled(_month: Month, _person: Person, word: str) -> None:
    """The row has gone, but ANALYZE had looked before."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {FORGOTTEN}_samples (what text)")
        cursor.execute(f"INSERT INTO {FORGOTTEN}_samples SELECT %s FROM generate_series(1, 9)", [word])  # noqa: S608
        cursor.execute(f"ANALYZE {FORGOTTEN}_samples")
        cursor.execute(f"DELETE FROM {FORGOTTEN}_samples")  # noqa: S608


def forgotten(_month: Month, _person: Person, word: str) -> None:
    """A table that no model knows."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {FORGOTTEN} (what jsonb)")
        cursor.execute(f"INSERT INTO {FORGOTTEN} VALUES (%s)", [json.dumps({"of": word.upper()})])  # noqa: S608


def answered(who: str, page: str) -> Plant:
    """A page tells it to somebody who must not know."""

    def plant(month: Month, _person: Person, word: str) -> None:
        from tests.hunt.staff import moment

        month.staff.look(month.staff.desks[who], page, HttpResponse(word), moment(month.words), "")

    return plant


def swept() -> None:
    """Takes away the tables that were planted."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {FORGOTTEN}, {FORGOTTEN}_samples")


CHANGE: Final = """
    INSERT INTO registry_appliedchange (field, new_value, source, changed_at, applied_at, person_id)
    VALUES ('home', %s, 'CHANGE', now(), now(), %s)
"""
UTF16: Final = "utf-16-le"
# Where it is to be found, and how it gets there. A place that begins with "answer" is one of a page.
PLANTS: Final[tuple[tuple[str, Plant], ...]] = (
    ("registry_clientship", sql("UPDATE registry_clientship SET reference = %s WHERE person_id = %s")),
    ("registry_appliedchange", sql(CHANGE)),
    (
        "registry_problem",
        sql("UPDATE registry_problem SET note = %s WHERE id = (SELECT min(id) FROM registry_problem)"),
    ),
    ("registry_auditevent_", lambda _m, _p, word: evidence.event(action="VIEW", details={"of": word}) and None),
    ("registry_erasurereceipt", sql("UPDATE registry_erasurereceipt SET code_hashes = ARRAY[%s::bytea]", str.encode)),
    ("vtjsync_attempts", sql("INSERT INTO vtjsync_attempts VALUES (%s, now(), 1)", str.swapcase)),
    ("registry_user", sql("UPDATE registry_user SET last_name = %s WHERE username = 'eeva'")),
    ("vtjsync_syncrun", sql("UPDATE vtjsync_syncrun SET reason = %s", lambda word: word[::-1])),
    (FORGOTTEN, forgotten),
    ("samples of forgotten_samples.what", sampled),
    ("django_q_ormq", queued),
    ("queue, unpacked", queued),
    ("django_q_task", done),
    ("results of tasks, unpacked", lambda *_: None),
    ("registry_session", in_session),
    ("sessions, unpacked", lambda *_: None),
    ("log, as production writes it", logged("GET /v1/%s")),
    ("log, before anything is taken out", logged("body %s", lambda word: word.encode().hex())),
    ("log, as production writes it", logged("Basic %s", lambda word: b64encode(f"u:{word}".encode()).decode())),
    ("log, as production writes it", logged("%s", lambda word: "".join(f"%{ord(one):02X}" for one in word), "zeep")),
    ("log, before anything is taken out", logged("%s", lambda word: json.dumps({"of": word}), "django.template")),
    ("mails", mailed),
    ("ledger", in_ledger),
    ("newest export", shown("newest export")),
    ("terminal of import_clients", shown("terminal of import_clients")),
    ("kept file cache.json", filed("cache.json", lambda word: "".join(f"\\u{ord(one):04x}" for one in word).encode())),
    ("kept file cache.bin", filed("cache.bin", lambda word: word.encode(UTF16))),
    ("log of PostgreSQL", raised),
    ("answer to daniel", answered("daniel", "client")),
    ("answer to celia", answered("celia", "clients")),
    ("answer to bertta", answered("bertta", "problems")),
)


def person_of(month: Month) -> tuple[Person, int]:
    """Somebody protected with a clientship, and whose words are theirs."""
    rows = Clientship.objects.filter(person__protected=True, person__codes__current=True)
    row = rows.values_list("person", "person__codes__hetu").order_by("pk").first()
    assert row is not None, "nobody is protected"
    owner = month.words.whose(row[1])
    assert owner is not None
    return Person.objects.get(pk=row[0]), owner
