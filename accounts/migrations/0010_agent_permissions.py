import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_refresh_answers")]

    operations = [
        migrations.RenameModel("AgentPassport", "AgentPermissions"),
        migrations.RenameField("AgentPermissions", "abilities", "capabilities"),
        migrations.AlterField(
            "AgentPermissions",
            "user",
            models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="agent_permissions",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterModelOptions(
            "AgentPermissions", {"verbose_name_plural": "agent permissions"}
        ),
    ]
