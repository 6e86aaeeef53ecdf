"""The organisation's own list into an empty register (outside.md: 100,000 lines in under a minute)."""

from __future__ import annotations

from io import StringIO
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from django.core.management import call_command
from django.db import connection, transaction

from registry.models import Clientship
from tests.bench import register
from tests.bench.harness import empty_register, row, seconds

# The rows that the import makes, with hashes that PostgreSQL reckons.
BARE = """
    CREATE TEMP TABLE person ON COMMIT DROP AS
        SELECT hetu, gen_random_uuid() AS subject FROM (SELECT DISTINCT hetu FROM line) l;
    INSERT INTO registry_person (subject, status, name_key, deceased, protected, reveal_awaited, location_hidden,
                                 version, ask_urgent, ask_attempts)
        SELECT subject, 'AWAITING', '', false, false, false, false, 0, false, 0 FROM person;
    INSERT INTO registry_personcode (hetu, person_id, current)
        SELECT hetu, p.id, true FROM person JOIN registry_person p USING (subject);
    INSERT INTO registry_subjectcode (code_hash, subject, key_id)
        SELECT sha256(hetu::bytea), subject, '' FROM person;
    INSERT INTO registry_namecheck (person_id, last_name_hash, first_names_hash)
        SELECT DISTINCT p.id, sha256(l.last_name::bytea), sha256(l.first_names::bytea)
        FROM line l JOIN person USING (hetu) JOIN registry_person p USING (subject);
    INSERT INTO registry_clientship (person_id, service_id, provider_id, start, reference)
        SELECT p.id, s.id, v.id, l.start, l.reference
        FROM line l JOIN person USING (hetu) JOIN registry_person p USING (subject)
        JOIN registry_service s ON s.code = l.service JOIN registry_provider v ON v.business_id = l.provider;
"""


def measure(size: int) -> None:
    """One row."""
    people, services = register.people(size), register.set_up()
    lines = register.rows((people.code(number) for number in range(size)), services)
    rows = [(*line[:5], "Esimerkki", "Aino Maria") for line in islice(lines, size)]
    bare = seconds(lambda: bare_insert(rows))
    made = Clientship.objects.count()
    empty_register()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "list.csv"
        with path.open("wb") as file:
            register.write_list(file, rows)
        taken = seconds(lambda: call_command("import_clients", path, stdout=StringIO()))
    assert Clientship.objects.count() == made == size
    row("import_clients, every column filled", f"{size:,} lines", taken, "COPY and INSERT of the same rows", bare)


def bare_insert(rows: list[register.Row]) -> None:
    """The same rows in the same tables, without asking what they mean."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE line (hetu text, service text, start date, provider text, reference text,"
            " last_name text, first_names text) ON COMMIT DROP"
        )
        with cursor.copy("COPY line FROM STDIN") as copy:
            for line in rows:
                copy.write_row(line)
        for statement in BARE.split(";")[:-1]:
            cursor.execute(statement)
