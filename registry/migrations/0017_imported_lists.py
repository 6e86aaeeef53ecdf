"""Lists that are imported by the pages: how each stands, its content while it waits, and its bad lines (F43)."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

# A list names people: the planner keeps no samples of it, which would outlive it.
SAMPLES = "ALTER TABLE registry_importfile ALTER COLUMN content SET STATISTICS "


class Migration(migrations.Migration):

    dependencies = [
        ('registry', '0016_sign_in_and_sessions'),
    ]

    operations = [
        migrations.CreateModel(
            name='ImportJob',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('origin', models.TextField(blank=True)),
                ('state', models.TextField(choices=[('CHECK', 'Being checked'), ('CHECKED', 'Waits for you'), ('WRITE', 'Being imported'), ('DONE', 'Imported'), ('REFUSED', 'Not imported'), ('CANCELLED', 'Cancelled'), ('EXPIRED', 'Removed unused')], default='CHECK')),
                ('uploaded_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('queued_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('begun_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('file_lines', models.PositiveIntegerField()),
                ('phase', models.TextField(blank=True, choices=[('READING', 'Reading the list'), ('COMPARING', 'Comparing it with the register'), ('WRITING', 'Writing into the register')])),
                ('done', models.PositiveIntegerField(default=0)),
                ('total', models.PositiveIntegerField(default=0)),
                ('counts', models.JSONField(default=dict)),
                ('erased_first', models.DateField(null=True)),
                ('erased_last', models.DateField(null=True)),
                ('confirm_ends', models.PositiveIntegerField(null=True)),
                ('reason', models.TextField(blank=True)),
                ('reason_values', models.JSONField(default=dict)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'permissions': [('import_clients', "Import the organisation's own list of clients")],
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='ImportFile',
            fields=[
                ('job', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='file', serialize=False, to='registry.importjob')),
                ('content', models.BinaryField()),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='ImportBadLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('line', models.PositiveIntegerField()),
                ('column', models.TextField(blank=True)),
                ('reason', models.TextField()),
                ('values', models.JSONField(default=dict)),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='bad_lines', to='registry.importjob')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.AddIndex(
            model_name='importjob',
            index=models.Index(fields=['user', '-id'], name='import_job_by_user'),
        ),
        migrations.AddConstraint(
            model_name='importjob',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at', None), ('state__in', ('CHECK', 'CHECKED', 'WRITE'))), models.Q(('ended_at__isnull', False), ('state__in', ('DONE', 'REFUSED', 'CANCELLED', 'EXPIRED'))), _connector='OR'), name='import_job_has_ended'),
        ),
        migrations.AddConstraint(
            model_name='importbadline',
            constraint=models.UniqueConstraint(fields=('job', 'line'), name='import_bad_line_once'),
        ),
        migrations.RunSQL(SAMPLES + "0", SAMPLES + "-1"),
    ]
