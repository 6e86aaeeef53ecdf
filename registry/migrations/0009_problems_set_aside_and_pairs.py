"""Problems can be set aside; a pair of two entries is open from both sides, and protected on both or on neither (D30)."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


PAIRS = """
    UPDATE registry_problem k SET pair_protected = p.protected FROM registry_person p
    WHERE p.id = k.person_id AND k.kind = 'TWO_ENTRIES' AND k.closed_at IS NULL;
    UPDATE registry_problem SET other_id = NULL WHERE closed_at IS NOT NULL;
"""
# At the end of a transaction both persons of an open pair are what pair_protected says, whatever wrote it.
ALIKE = tuple(
    (
        f"ALTER TABLE registry_problem ADD CONSTRAINT registry_problem_{column}_alike"
        f" FOREIGN KEY ({column}_id, pair_protected) REFERENCES registry_person (id, protected)"
        " ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED",
        f"ALTER TABLE registry_problem DROP CONSTRAINT registry_problem_{column}_alike",
    )
    for column in ("person", "other")
)
# What people write may tell a place: the planner keeps no samples of it (domain.md E34, E40).
SAMPLES = "ALTER TABLE registry_problem ALTER COLUMN note SET STATISTICS "


class Migration(migrations.Migration):

    dependencies = [
        ('registry', '0008_newest_entry_at'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='problem',
            options={'default_permissions': (), 'permissions': [('see_problems', 'See what needs attention'), ('merge_persons', 'Merge two entries of one person, or report them to DVV')], 'verbose_name': 'problem', 'verbose_name_plural': 'problems'},
        ),
        migrations.RemoveConstraint(
            model_name='problem',
            name='one_open_problem_of_a_kind',
        ),
        migrations.RemoveField(
            model_name='problem',
            name='next_try_at',
        ),
        migrations.AddField(
            model_name='problem',
            name='apart_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='problem',
            name='handled_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='problem',
            name='handled_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='problem',
            name='pair_protected',
            field=models.BooleanField(null=True),
        ),
        migrations.AddField(
            model_name='problem',
            name='reported_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='problem',
            name='reported_on',
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name='problem',
            name='survives',
            field=models.BooleanField(null=True),
        ),
        migrations.AlterField(
            model_name='problem',
            name='kind',
            field=models.TextField(choices=[('NOT_FOUND', 'Not found in VTJ'), ('NO_SUCCESSOR', 'The identity code has ended without a new one'), ('TWO_ENTRIES', 'The same person is in the register twice'), ('UNREADABLE', "VTJ's answer could not be read"), ('CONTRADICTING', "VTJ's answer contradicts itself"), ('NAME_MISMATCH', 'The name differs from the imported list'), ('BAN_UNCLEAR', 'It is not certain whether the non-disclosure order is in force'), ('CODE_REFUSED', 'VTJ refuses the identity code')]),
        ),
        migrations.RunSQL(PAIRS, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name='problem',
            index=models.Index(condition=models.Q(('closed_at', None)), fields=['id'], name='problem_open'),
        ),
        migrations.AddConstraint(
            model_name='problem',
            constraint=models.UniqueConstraint(condition=models.Q(('closed_at', None)), fields=('person', 'kind', 'other'), name='one_open_problem_of_a_kind', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='problem',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'TWO_ENTRIES'), ('closed_at', None), ('other__isnull', False), ('pair_protected__isnull', False), models.Q(('other', models.F('person')), _negated=True)), models.Q(models.Q(('kind', 'TWO_ENTRIES'), ('closed_at', None), _negated=True), ('other', None), ('pair_protected', None)), _connector='OR'), name='open_pair_names_the_other'),
        ),
        migrations.AddConstraint(
            model_name='problem',
            constraint=models.CheckConstraint(condition=models.Q(('kind', 'TWO_ENTRIES'), models.Q(('apart_at', None), ('reported_on', None), ('survives', None)), _connector='OR'), name='only_pairs_are_reported'),
        ),
        *(migrations.RunSQL(forwards, backwards) for forwards, backwards in ALIKE),
        migrations.RunSQL(f"{SAMPLES}0", f"{SAMPLES}-1"),
    ]
