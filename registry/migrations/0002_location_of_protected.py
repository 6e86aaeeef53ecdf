"""Behind the triggers: a location row of a child table refers to an unprotected person, by a plain foreign key (E36)."""

from django.db import migrations

TABLES = ("registry_foreignaddress", "registry_appliedchange")


class Migration(migrations.Migration):
    dependencies = [("registry", "0001_initial")]

    operations = [
        migrations.RunSQL(
            f"ALTER TABLE {table} ADD CONSTRAINT {table}_of_unprotected FOREIGN KEY (person_id, person_protected)"
            " REFERENCES registry_person (id, protected)",
            f"ALTER TABLE {table} DROP CONSTRAINT {table}_of_unprotected",
        )
        for table in TABLES
    ]
