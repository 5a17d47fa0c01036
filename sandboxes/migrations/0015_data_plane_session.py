from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("sandboxes", "0014_public_ports"),
    ]

    operations = [
        migrations.AddField(
            model_name="sandbox",
            name="data_token",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="sandbox",
            name="data_token_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="sandbox",
            name="data_url",
            field=models.CharField(blank=True, max_length=500),
        ),
    ]
