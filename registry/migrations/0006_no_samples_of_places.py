"""ANALYZE keeps samples of what columns hold, and would keep a place that has gone from its row (domain.md E34, E40).

Nothing is searched by these columns, so the planner does not need to know what they hold.
"""

from django.db import migrations

COLUMNS = {
    "registry_person": (
        "home_street_fi",
        "home_street_sv",
        "home_house_number",
        "home_staircase",
        "home_apartment",
        "home_division",
        "home_postal_code",
        "home_post_office_fi",
        "home_post_office_sv",
        "home_start",
        "municipality_moved_in",
    ),
    "registry_foreignaddress": ("street", "locality", "country_name", "start"),
    "registry_appliedchange": ("old_value", "new_value"),
}


def alter(table: str, columns: tuple[str, ...], target: int) -> str:
    return f"ALTER TABLE {table} " + ", ".join(f"ALTER COLUMN {name} SET STATISTICS {target}" for name in columns)


class Migration(migrations.Migration):
    dependencies = [("registry", "0005_several_names_of_a_person")]

    operations = [
        migrations.RunSQL(alter(table, columns, 0), alter(table, columns, -1)) for table, columns in COLUMNS.items()
    ]
