"""What a start needs first: system checks, migrations, static files, and the first admin.

A process of its own, so that the supervisor stays small and can stop it at any moment.
All it prints on stdout is how the first admin signs in, when it has just made one.
"""

import hashlib
import os
import secrets
import sys
from io import StringIO
from pathlib import Path

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction

ADMIN_EMAIL = "admin@localhost"


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "manta.settings")
    try:
        django.setup()
        call_command("check", stdout=StringIO())
        call_command("migrate", interactive=False, verbosity=0)
        collect_static_files()
        first_admin = make_first_admin()
    except (ImproperlyConfigured, CommandError, DatabaseError) as exc:
        print(exc, file=sys.stderr)
        return 1
    if first_admin:
        print(first_admin)
    return 0


def collect_static_files() -> None:
    """Collect them unless nothing has changed: it takes seconds."""
    from django.conf import settings

    stamp = Path(settings.STATIC_ROOT).with_suffix(".stamp")
    wanted = static_fingerprint()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(wanted)


def static_fingerprint() -> str:
    from django.contrib.staticfiles.finders import get_finders

    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            stat = os.stat(storage.path(name))
            digest.update(f"{name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def make_first_admin() -> str | None:
    """Make an admin when there is none, with an address that counts as verified."""
    from allauth.account.models import EmailAddress

    from accounts.models import User

    if User.objects.filter(is_superuser=True).exists():
        return None
    password = secrets.token_urlsafe(12)
    with transaction.atomic():
        admin = User.objects.create_superuser(ADMIN_EMAIL, password)
        EmailAddress.objects.create(user=admin, email=ADMIN_EMAIL, primary=True, verified=True)
    return f"{ADMIN_EMAIL}, password {password}"


if __name__ == "__main__":
    sys.exit(main())
