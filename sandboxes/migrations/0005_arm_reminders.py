from django.db import migrations
from django.utils import timezone


def arm_reminders(apps, schema_editor):
    """Have the next sweep look at every made sandbox, and work out when it is to be reminded of."""
    Sandbox = apps.get_model("sandboxes", "Sandbox")
    made = Sandbox.objects.filter(phase="ready", expires_at__isnull=False)
    made.update(remind_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [("sandboxes", "0004_restarts_and_reminders")]

    operations = [migrations.RunPython(arm_reminders, migrations.RunPython.noop)]
