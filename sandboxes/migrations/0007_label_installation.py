from django.db import migrations

BATCH = 500


def label(apps, schema_editor):
    """Name this installation, and have its sandboxes carry the name; the worker labels them."""
    Installation = apps.get_model("sandboxes", "Installation")
    Sandbox = apps.get_model("sandboxes", "Sandbox")
    key = Installation.objects.get_or_create(pk=1)[0].key
    batch = []
    for sandbox in Sandbox.objects.only("pk", "labels").iterator(chunk_size=BATCH):
        sandbox.labels = {**sandbox.labels, "manta-installation": key}
        batch.append(sandbox)
        if len(batch) == BATCH:
            Sandbox.objects.bulk_update(batch, ["labels"])
            batch = []
    Sandbox.objects.bulk_update(batch, ["labels"])


class Migration(migrations.Migration):
    dependencies = [("sandboxes", "0006_installation_breaker_orphans")]

    operations = [migrations.RunPython(label, migrations.RunPython.noop)]
