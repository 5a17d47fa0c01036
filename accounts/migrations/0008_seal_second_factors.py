"""Seal the secrets of authenticator apps and the seeds of recovery codes.

Going back opens them again. Either way a second run changes nothing.
"""

from django.db import migrations

from accounts import vault
from accounts.mfa_adapter import CONTEXT


def _sealed(text):
    return text if vault.is_sealed(text) else vault.seal(text, context=CONTEXT)


def _opened(text):
    return vault.unseal(text, context=CONTEXT)


def _rewrite(apps, change):
    Authenticator = apps.get_model("mfa", "Authenticator")
    kept = Authenticator.objects.filter(type__in=["totp", "recovery_codes"])
    for row in kept.select_for_update().iterator():
        for name in ("secret", "seed"):
            if name in row.data:
                row.data[name] = change(row.data[name])
        if row.data.get("migrated_codes"):
            row.data["migrated_codes"] = [change(code) for code in row.data["migrated_codes"]]
        row.save(update_fields=["data"])


def seal(apps, schema_editor):
    _rewrite(apps, _sealed)


def unseal(apps, schema_editor):
    _rewrite(apps, _opened)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_agents_at_allauth"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]

    operations = [migrations.RunPython(seal, unseal, elidable=True)]
