from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("subscriptions", "0004_several_gaps"),
    ]

    operations = [
        migrations.AddField(
            model_name="provideraccount",
            name="spent_until",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="The budget of notified tags is used up until then; empty = not.",
                null=True,
            ),
        ),
    ]
