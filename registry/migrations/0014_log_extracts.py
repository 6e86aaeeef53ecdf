"""Clients' own extracts of the log, and what was decided about their lines (domain.md G47, E38)."""

import datetime
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
import registry.clock
from django.db import migrations, models


# What people write may tell a place: the planner keeps no samples of it (domain.md E34, E40).
SAMPLES = ("reference", "reason", "note")


def alter(target: int) -> str:
    columns = ", ".join(f"ALTER COLUMN {name} SET STATISTICS {target}" for name in SAMPLES)
    return f"ALTER TABLE registry_logextract {columns}"


class Migration(migrations.Migration):

    dependencies = [
        ('registry', '0013_protected_clients'),
    ]

    operations = [
        migrations.CreateModel(
            name='LogExtract',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subjects', django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list, size=None)),
                ('requester', models.TextField(choices=[('CLIENT', 'The client'), ('GUARDIAN', 'A guardian of a minor'), ('TRUSTEE', 'A trustee or another legal representative')])),
                ('reference', models.TextField()),
                ('since', models.DateField()),
                ('until', models.DateField()),
                ('asked_on', models.DateField(default=registry.clock.today)),
                ('reason', models.TextField(blank=True)),
                ('last_event', models.BigIntegerField()),
                ('made_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('made_by', models.BigIntegerField(null=True)),
                ('made_name', models.TextField(blank=True)),
                ('outcome', models.TextField(choices=[('OPEN', 'Not decided yet'), ('RELEASED', 'Given'), ('REFUSED', 'Not given')], default='OPEN')),
                ('ground', models.TextField(blank=True, choices=[('DANGER', "Knowing it could cause serious danger to the client's health or care"), ('OTHERS', 'Knowing it could harm the rights of somebody else'), ('NO_RIGHT', "Whoever asked has no right to this client's log data"), ('TOO_OLD', 'It is older than two years, and there is no special reason')])),
                ('note', models.TextField(blank=True)),
                ('decided_at', models.DateTimeField(null=True)),
                ('decided_by', models.BigIntegerField(null=True)),
                ('decided_name', models.TextField(blank=True)),
            ],
            options={
                'verbose_name': 'extract of the log',
                'permissions': [('make_log_extract', "Make a client's own extract of the audit log")],
                'default_permissions': (),
                'constraints': [models.CheckConstraint(condition=models.Q(('since__lte', models.F('until'))), name='extract_begins_before_its_end'), models.CheckConstraint(condition=models.Q(models.Q(('reason', ''), _negated=True), ('since__gte', django.db.models.expressions.CombinedExpression(models.F('asked_on'), '-', models.Value(datetime.timedelta(days=732)))), _connector='OR'), name='a_longer_extract_has_its_reason'), models.CheckConstraint(condition=models.Q(models.Q(('outcome', 'OPEN'), ('decided_at', None)), models.Q(('outcome', 'RELEASED'), ('decided_at__isnull', False)), models.Q(('outcome', 'REFUSED'), ('decided_at__isnull', False), models.Q(('ground', ''), _negated=True), models.Q(('note', ''), _negated=True)), _connector='OR'), name='a_refused_extract_has_its_ground')],
            },
        ),
        migrations.CreateModel(
            name='ExtractLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('line', models.BigIntegerField()),
                ('decision', models.TextField(choices=[('GIVE', 'Give, without unit and service'), ('WITH_PLACE', 'Give, with unit and service'), ('LEAVE_OUT', 'Leave out')])),
                ('ground', models.TextField(blank=True, choices=[('DANGER', "Knowing it could cause serious danger to the client's health or care"), ('OTHERS', 'Knowing it could harm the rights of somebody else'), ('NO_RIGHT', "Whoever asked has no right to this client's log data"), ('TOO_OLD', 'It is older than two years, and there is no special reason')])),
                ('decided_by', models.BigIntegerField(null=True)),
                ('extract', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='registry.logextract')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='logextract',
            trigger=pgtrigger.compiler.Trigger(name='request_stays', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."asked_on" IS DISTINCT FROM (NEW."asked_on") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."last_event" IS DISTINCT FROM (NEW."last_event") OR OLD."made_at" IS DISTINCT FROM (NEW."made_at") OR OLD."made_by" IS DISTINCT FROM (NEW."made_by") OR OLD."made_name" IS DISTINCT FROM (NEW."made_name") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."reference" IS DISTINCT FROM (NEW."reference") OR OLD."requester" IS DISTINCT FROM (NEW."requester") OR OLD."since" IS DISTINCT FROM (NEW."since") OR OLD."subjects" IS DISTINCT FROM (NEW."subjects") OR OLD."until" IS DISTINCT FROM (NEW."until"))', func="RAISE EXCEPTION 'what was decided about an extract of the log stays';", hash='c260c09d6d331043ea338cb53f6929fff07174ce', operation='UPDATE', pgid='pgtrigger_request_stays_9602f', table='registry_logextract', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='logextract',
            trigger=pgtrigger.compiler.Trigger(name='decision_stays', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."outcome" IS DISTINCT FROM \'OPEN\')', func="RAISE EXCEPTION 'what was decided about an extract of the log stays';", hash='7931ccfd68ffb1363f86182b2ad2687064e5c034', operation='UPDATE', pgid='pgtrigger_decision_stays_f00f8', table='registry_logextract', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='logextract',
            trigger=pgtrigger.compiler.Trigger(name='kept_for_years', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF OLD.made_at > now() - interval '5 years' THEN RAISE EXCEPTION 'requests for an extract of the log are kept for five years at least'; END IF;\n                    RETURN OLD;\n                ", hash='b5d016f5301c14d5c4a85cbe37c13d8e36771ede', operation='DELETE', pgid='pgtrigger_kept_for_years_ccc8a', table='registry_logextract', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='extractline',
            constraint=models.UniqueConstraint(fields=('extract', 'line'), name='extract_line_once'),
        ),
        migrations.AddConstraint(
            model_name='extractline',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decision', 'LEAVE_OUT'), models.Q(('ground', ''), _negated=True)), models.Q(models.Q(('decision', 'LEAVE_OUT'), _negated=True), ('ground', '')), _connector='OR'), name='a_line_left_out_has_its_ground'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='extractline',
            trigger=pgtrigger.compiler.Trigger(name='line_stays', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF NOT EXISTS (SELECT FROM registry_logextract e WHERE e.id = NEW.extract_id AND e.outcome = 'OPEN')\n                    THEN RAISE EXCEPTION 'what was decided about an extract of the log stays'; END IF;\n                    RETURN NEW;\n                ", hash='5baa079754dbc12d0174dff70306f907bd4689d1', operation='INSERT OR UPDATE', pgid='pgtrigger_line_stays_24025', table='registry_extractline', when='BEFORE')),
        ),
        migrations.RunSQL(alter(0), alter(-1)),
    ]
