"""Everywhere that something of a person can be kept, and whose word may stand where (domain.md E34, E40, F43, G47)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from django.db import connection
from django_q.models import OrmQ, Task
from django_q.signing import SignedPackage

from registry.models import Session
from tests import backup
from tests.hunt.search import found
from tests.hunt.staff import Moment
from tests.hunt.words import CONTACT, IDENTITY, NAME, NOTE, PLACE, REFERENCE, Said, Words

# The only places where a word of a person in the register may stand, and of which kinds.
LAWFUL: Final = {
    "registry_person": {NAME, PLACE},
    "registry_personcode": {IDENTITY},
    "registry_foreignaddress": {PLACE},
    "registry_appliedchange": {NAME, PLACE},
    "registry_clientship": {REFERENCE},
    "registry_contactaddress": {CONTACT},
    "registry_problem": {NOTE},
    "registry_opening": {NOTE},
    # A list that waits to be imported, for a day at most.
    "registry_importfile": {NAME, IDENTITY, REFERENCE},
    # An index of the names.
    "person_by_name_part": {NAME},
    "newest export": {NAME, PLACE, IDENTITY, REFERENCE},
}
# ANALYZE keeps samples of codes of municipalities: one by itself tells nothing of anybody, for whom it was is not kept
# with it (registry.services.protection.traces). Here each is one person's, which no real one is.
CODES_ALONE: Final = re.compile(r"samples of registry_person\.(home_)?municipality_code")
# What ANALYZE keeps beside the tables, which a dump leaves out.
_SAMPLES: Final = """
    SELECT tablename || '.' || attname,
           concat_ws(' ', most_common_vals::text, histogram_bounds::text, most_common_elems::text)
    FROM pg_stats WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
"""
_SECTION: Final = re.compile(r"^COPY (?:public\.)?\"?(\S+?)\"? \(.*\) FROM stdin;$")


@dataclass
class Report:
    """What was looked at, and what was found: where, whose kind of word, how it was spelt, and why it is wrong."""

    letters: Counter[str] = field(default_factory=Counter)
    lawful: int = 0
    hits: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    words: dict[str, set[str]] = field(default_factory=dict)

    def __str__(self) -> str:
        return "\n".join(f"{where}: {kind} ({how}): {why}: {n}" for (where, kind, how, why), n in self.hits.items())


def look(words: Words, sources: Iterable[tuple[str, str]], now: Moment) -> Report:
    """Looks for every word of anybody in every source."""
    report = Report()
    for where, text in sources:
        report.letters[where] += len(text)
        for (word, said), how in found(words, text).items():
            if why := wrong(where, said, now):
                report.hits[where, said.kind, how, why] += 1
                report.words.setdefault(where, set()).add(word)
            else:
                report.lawful += 1
    return report


def wrong(where: str, said: Said, now: Moment) -> str:
    """Why the word must not be there; empty when it may."""
    if said.kind == PLACE and CODES_ALONE.fullmatch(where):
        return ""
    if said.owner not in now.known:
        return "of somebody who is not in the register"
    if said.kind == PLACE and said.owner in now.protected:
        return "a place of somebody protected"
    if said.kind == NOTE and said.owner in now.protected and where == "registry_problem":
        return "what was written of somebody before the ban"
    table = where.removeprefix("samples of ").partition(".")[0]
    return "" if said.kind in LAWFUL.get(table, ()) else "nothing of anybody may stand here"


def kept(folder: Path) -> Iterator[tuple[str, str]]:
    """Everything in the database: the dump by table, what is packed in it, and the samples. ``folder``: for a while."""
    yield from _tables(folder)
    with connection.cursor() as cursor:
        cursor.execute(_SAMPLES)
        yield from ((f"samples of {where}", text) for where, text in cursor.fetchall())
    for one in OrmQ.objects.all():
        yield "queue, unpacked", repr(SignedPackage.loads(one.payload))
    for task in Task.objects.all():
        yield "results of tasks, unpacked", repr((task.name, task.args, task.kwargs, task.result))
    for session in Session.objects.all():
        yield "sessions, unpacked", repr(session.get_decoded())


def _tables(folder: Path) -> Iterator[tuple[str, str]]:
    """The whole dump: the rows of each table, and the rest."""
    file = folder / "dump.sql"
    backup.plain(file)
    table, rows, rest = "", [], []
    for line in file.read_text().splitlines():
        if begin := _SECTION.match(line):
            table, rows = begin[1], []
        elif table and line == "\\.":
            yield table, "\n".join(rows)
            table = ""
        else:
            (rows if table else rest).append(line)
    yield "dump, beside the rows", "\n".join(rest)
    file.unlink()
