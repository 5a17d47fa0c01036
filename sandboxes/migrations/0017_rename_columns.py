from django.db import migrations, models
from django.db.models import Q

DEADLINE = "sandbox_pending_has_a_deadline"


def queue(field):
    return models.Index(fields=[field, "id"], condition=Q(phase="pending"), name="sandbox_queue")


def deadline(field):
    condition = ~Q(phase="pending") | Q(**{f"{field}__isnull": False})
    return models.CheckConstraint(condition=condition, name=DEADLINE)


class Migration(migrations.Migration):
    dependencies = [("sandboxes", "0016_permission_denied")]

    # Neither an index nor a constraint follows its column's name in Django's own record.
    operations = [
        migrations.RemoveConstraint("sandbox", DEADLINE),
        migrations.RemoveIndex("sandbox", "sandbox_queue"),
        migrations.RenameField("sandbox", "settle_by", "provision_deadline"),
        migrations.RenameField("sandbox", "remake", "recreate_after_delete"),
        migrations.RenameField("sandbox", "expiry_asked", "requested_expiry"),
        migrations.RenameField("sandbox", "throttled_at", "queued_since"),
        migrations.AddIndex("sandbox", queue("provision_deadline")),
        migrations.AddConstraint("sandbox", deadline("provision_deadline")),
        migrations.RenameField("breaker", "rests_until", "open_until"),
        migrations.RenameField("breaker", "rests", "times_opened"),
    ]
