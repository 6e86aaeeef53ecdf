"""Hand-overs by unit, openings for a reason, contact addresses, clientships that VTJ has not answered about (E38)."""

import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

# What people write may tell a place: the planner keeps no samples of it (domain.md E34, E40).
SAMPLES = {
    "registry_contactaddress": ("care_of", "lines", "postal_code", "town", "phone", "email"),
    "registry_opening": ("note",),
}


def alter(table: str, columns: tuple[str, ...], target: int) -> str:
    return f"ALTER TABLE {table} " + ", ".join(f"ALTER COLUMN {name} SET STATISTICS {target}" for name in columns)


class Migration(migrations.Migration):

    dependencies = [
        ('registry', '0010_deceased_clients'),
    ]

    operations = [
        migrations.CreateModel(
            name='ContactAddress',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('care_of', models.TextField(blank=True, verbose_name='c/o')),
                ('lines', models.TextField(blank=True, verbose_name='street address or PO box')),
                ('postal_code', models.TextField(blank=True, verbose_name='postal code')),
                ('town', models.TextField(blank=True, verbose_name='town')),
                ('phone', models.TextField(blank=True, verbose_name='phone')),
                ('email', models.TextField(blank=True, verbose_name='e-mail')),
                ('confirmed_not_home', models.BooleanField()),
                ('entered_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'verbose_name': 'contact address',
                'permissions': [('keep_contact_address', 'See and keep the contact addresses of protected clients')],
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Opening',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('username', models.TextField()),
                ('reason', models.TextField(choices=[('HANDOVER', 'I take the client over'), ('SERVICE', "The client's service or decision"), ('CONTACT', 'The client or a provider got in touch'), ('CHECK', 'Checking the data, or a problem with it'), ('OTHER', 'Another reason, told below')])),
                ('note', models.TextField(blank=True)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'verbose_name': 'opening',
                'permissions': [('see_openings', 'See why the pages of protected clients were opened')],
                'default_permissions': (),
            },
        ),
        migrations.RemoveConstraint(
            model_name='problem',
            name='one_open_problem_of_a_kind',
        ),
        migrations.RemoveIndex(
            model_name='clientship',
            name='clientship_by_service',
        ),
        migrations.AddField(
            model_name='clientship',
            name='awaits_since',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='problem',
            name='unit',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='registry.unit'),
        ),
        migrations.AlterField(
            model_name='problem',
            name='kind',
            field=models.TextField(choices=[('NOT_FOUND', 'Not found in VTJ'), ('NO_SUCCESSOR', 'The identity code has ended without a new one'), ('TWO_ENTRIES', 'The same person is in the register twice'), ('UNREADABLE', "VTJ's answer could not be read"), ('CONTRADICTING', "VTJ's answer contradicts itself"), ('NAME_MISMATCH', 'The name differs from the imported list'), ('BAN_UNCLEAR', 'It is not certain whether the non-disclosure order is in force'), ('CODE_REFUSED', 'VTJ refuses the identity code'), ('HANDOVER', 'A protected client is to be taken over'), ('CONTACT_ADDRESS', 'Is the contact address still needed?')]),
        ),
        migrations.AddIndex(
            model_name='clientship',
            index=models.Index(fields=['service', 'person'], include=('awaits_since',), name='clientship_by_service'),
        ),
        migrations.AddIndex(
            model_name='clientship',
            index=models.Index(condition=models.Q(('awaits_since__isnull', False)), fields=['person'], name='clientship_awaits'),
        ),
        migrations.AddConstraint(
            model_name='problem',
            constraint=models.UniqueConstraint(condition=models.Q(('closed_at', None)), fields=('person', 'kind', 'other', 'unit'), name='one_open_problem_of_a_kind', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='problem',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'HANDOVER'), ('unit__isnull', False)), models.Q(models.Q(('kind', 'HANDOVER'), _negated=True), ('unit', None)), _connector='OR'), name='handover_names_its_unit'),
        ),
        migrations.AddField(
            model_name='contactaddress',
            name='entered_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='contactaddress',
            name='person',
            field=models.OneToOneField(on_delete=django.db.models.deletion.DO_NOTHING, related_name='contact_address', to='registry.person'),
        ),
        migrations.AddField(
            model_name='opening',
            name='person',
            field=models.ForeignKey(on_delete=django.db.models.deletion.DO_NOTHING, related_name='openings', to='registry.person'),
        ),
        migrations.AddField(
            model_name='opening',
            name='user',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='contactaddress',
            constraint=models.CheckConstraint(condition=models.Q(('confirmed_not_home', True)), name='contact_address_is_not_the_home'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='contactaddress',
            trigger=pgtrigger.compiler.Trigger(name='refuse_unprotected', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    IF NOT EXISTS (SELECT FROM registry_person p WHERE p.id = NEW.person_id AND p.protected) THEN\n        RAISE EXCEPTION USING MESSAGE = 'a contact address is kept of protected persons only', ERRCODE = 'check_violation';\n    END IF;\n    RETURN NEW;\n", hash='bcdcc96bdf15f5907bbd881d78adebc9d57f81c9', operation='INSERT', pgid='pgtrigger_refuse_unprotected_331e5', table='registry_contactaddress', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='contactaddress',
            trigger=pgtrigger.compiler.Trigger(name='refuse_change_of_unprotected', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."care_of" IS DISTINCT FROM (NEW."care_of") OR OLD."email" IS DISTINCT FROM (NEW."email") OR OLD."lines" IS DISTINCT FROM (NEW."lines") OR OLD."phone" IS DISTINCT FROM (NEW."phone") OR OLD."postal_code" IS DISTINCT FROM (NEW."postal_code") OR OLD."town" IS DISTINCT FROM (NEW."town"))', func="\n    IF NOT EXISTS (SELECT FROM registry_person p WHERE p.id = NEW.person_id AND p.protected) THEN\n        RAISE EXCEPTION USING MESSAGE = 'a contact address is kept of protected persons only', ERRCODE = 'check_violation';\n    END IF;\n    RETURN NEW;\n", hash='942b3dceb31e81bb28e7791d2422b133aaae7ff8', operation='UPDATE', pgid='pgtrigger_refuse_change_of_unprotected_26f3b', table='registry_contactaddress', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='opening',
            index=models.Index(fields=['user', 'person', 'at'], name='opening_of_user'),
        ),
        migrations.AddIndex(
            model_name='opening',
            index=models.Index(fields=['person'], name='opening_of_person'),
        ),
        migrations.AddConstraint(
            model_name='opening',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('reason', 'OTHER'), _negated=True), models.Q(('note', ''), _negated=True), _connector='OR'), name='another_reason_is_told'),
        ),
        *(migrations.RunSQL(alter(table, names, 0), alter(table, names, -1)) for table, names in SAMPLES.items()),
    ]
