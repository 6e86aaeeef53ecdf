from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('registry', '0009_problems_set_aside_and_pairs'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='person',
            index=models.Index(condition=models.Q(('deceased', True)), fields=['name_key', 'id'], name='person_deceased'),
        ),
    ]
