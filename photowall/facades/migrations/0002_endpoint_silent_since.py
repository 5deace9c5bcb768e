from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("facades", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="endpoint",
            name="silent_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
