"""Each line of a list may give another name for the same code, and each is compared. What waits in the old table is
dropped: the program is not released."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('registry', '0004_permits_move_together'),
    ]

    operations = [
        migrations.DeleteModel(name='NameCheck'),
        migrations.CreateModel(
            name='NameCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('last_name_hash', models.BinaryField(null=True)),
                ('first_names_hash', models.BinaryField(null=True)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.DO_NOTHING, related_name='name_checks', to='registry.person')),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('person', 'last_name_hash', 'first_names_hash'), name='name_check_once', nulls_distinct=False)],
            },
        ),
    ]
