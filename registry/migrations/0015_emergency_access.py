"""Emergency access to one client of other units, for a short time (docs/adr/0019)."""

import datetime
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


# What people write may tell a place: the planner keeps no samples of it (domain.md E34, E40).
SAMPLES = "ALTER TABLE registry_emergencyaccess ALTER COLUMN reason SET STATISTICS {}"


class Migration(migrations.Migration):

    dependencies = [
        ('registry', '0014_log_extracts'),
    ]

    operations = [
        migrations.AlterField(
            model_name='opening',
            name='reason',
            field=models.TextField(choices=[('HANDOVER', 'I take the client over'), ('SERVICE', "The client's service or decision"), ('CONTACT', 'The client or a provider got in touch'), ('CHECK', 'Checking the data, or a problem with it'), ('OTHER', 'Another reason, told below'), ('EMERGENCY', 'Emergency access')]),
        ),
        migrations.CreateModel(
            name='EmergencyAccess',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('username', models.TextField()),
                ('reason', models.TextField()),
                ('since', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('until', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('announced_at', models.DateTimeField(null=True)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.DO_NOTHING, related_name='emergency_accesses', to='registry.person')),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'emergency access',
                'permissions': [('use_emergency_access', 'Take emergency access to a client of other units')],
                'default_permissions': (),
                'indexes': [models.Index(condition=models.Q(('ended_at', None)), fields=['user', 'person'], name='emergency_of_user'), models.Index(fields=['person'], name='emergency_of_person')],
                'constraints': [models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='an_emergency_has_its_reason'), models.CheckConstraint(condition=models.Q(('until__gt', models.F('since')), ('until__lte', django.db.models.expressions.CombinedExpression(models.F('since'), '+', models.Value(datetime.timedelta(days=1))))), name='an_emergency_is_short')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='emergencyaccess',
            trigger=pgtrigger.compiler.Trigger(name='is_not_prolonged', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."since" IS DISTINCT FROM (NEW."since") OR OLD."until" IS DISTINCT FROM (NEW."until") OR OLD."username" IS DISTINCT FROM (NEW."username"))', func="RAISE EXCEPTION 'an emergency access is neither prolonged nor taken up again';", hash='7c4c796a743ddae4c06aa69483e17a7318766f9a', operation='UPDATE', pgid='pgtrigger_is_not_prolonged_b8c34', table='registry_emergencyaccess', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='emergencyaccess',
            trigger=pgtrigger.compiler.Trigger(name='has_ended', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."ended_at" IS DISTINCT FROM (NEW."ended_at") AND OLD."ended_at" IS NOT NULL)', func="RAISE EXCEPTION 'an emergency access is neither prolonged nor taken up again';", hash='80020c14622410e17e7d0e318b5c346f6c258f30', operation='UPDATE', pgid='pgtrigger_has_ended_75891', table='registry_emergencyaccess', when='BEFORE')),
        ),
        migrations.RunSQL(SAMPLES.format(0), SAMPLES.format(-1)),
    ]
