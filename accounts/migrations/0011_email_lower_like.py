"""The index for the beginning of an address in any case, which only PostgreSQL needs beside the
unique one: that is in the order of a language.
"""

from django.db import migrations

_NAME = "user_email_lower_like"


def add(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        columns = "(LOWER(email) text_pattern_ops)"
        schema_editor.execute(f"CREATE INDEX IF NOT EXISTS {_NAME} ON accounts_user {columns}")


def remove(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP INDEX IF EXISTS {_NAME}")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0010_agent_permissions")]
    operations = [migrations.RunPython(add, remove)]
