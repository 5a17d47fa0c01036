from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_seal_second_factors")]

    operations = [
        migrations.AddField("agentsecret", "sealed_answer", models.TextField(blank=True, default=""), preserve_default=False),
    ]
