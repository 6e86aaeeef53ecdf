from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('vtjsync', '0009_reconciliation'),
    ]

    operations = [
        migrations.AddField(
            model_name='syncrun',
            name='other_groups',
            field=models.PositiveIntegerField(default=0),
        ),
    ]
