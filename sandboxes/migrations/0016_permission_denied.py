"""Give refused calls of agents the code that they have now."""

from django.db import migrations

OLD, NEW = "passport_refused", "permission_denied"


def _rename(apps, old, new):
    apps.get_model("sandboxes", "ToolCall").objects.filter(code=old).update(code=new)


def forwards(apps, schema_editor):
    _rename(apps, OLD, NEW)


def backwards(apps, schema_editor):
    _rename(apps, NEW, OLD)


class Migration(migrations.Migration):
    dependencies = [("sandboxes", "0015_data_plane_session")]

    operations = [migrations.RunPython(forwards, backwards, elidable=True)]
