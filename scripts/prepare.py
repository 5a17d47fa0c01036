"""Preparation of a start: system checks, migrations, static files; for `make run`, an admin.

A process of its own, so that the supervisor stays small and can stop it at any moment.
All it prints on stdout is how the first admin signs in, when it has just made one.
Usage: python -m scripts.prepare run|serve
"""

import hashlib
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import django
from django.core import checks
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection

from manta.core import env

ADMIN_EMAIL = "admin@localhost"
NEW_KEY = "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
# Any number that nothing else on this database takes for a lock of its own.
MIGRATION_LOCK = 0x6D616E7461


def main(purpose: str) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "manta.settings")
    try:
        if purpose == "serve":
            require_deployable()
        django.setup()
        call_command("check", stdout=StringIO())
        with one_at_a_time():
            call_command("migrate", interactive=False, verbosity=0)
            call_command("createcachetable", verbosity=0)
        collect_static_files()
        first_admin = make_first_admin() if purpose == "run" else None
    except (ImproperlyConfigured, CommandError, DatabaseError) as exc:
        print(exc, file=sys.stderr)
        return 1
    if first_admin:
        print(first_admin)
    return 0


def require_deployable() -> None:
    """Refuse what can't be served to others, with everything that is missing in one list.

    Raises CommandError.
    """
    missing = []
    if not env.secret("SECRET_KEY"):
        missing.append(f"- SECRET_KEY is not set.\n  Make one, and keep it: {NEW_KEY}")
        # For this process alone, so that the checks can say what else is missing.
        os.environ["SECRET_KEY"] = secrets.token_urlsafe(48)
    django.setup()
    from django.conf import settings

    found = checks.run_checks(include_deployment_checks=not settings.MANTA_LOCAL)
    for message in sorted(found, key=lambda message: message.id or ""):
        if message.is_serious(checks.WARNING) and not message.is_silenced():
            missing.append(in_two_lines(message))
        elif not message.is_silenced():
            print(f"manta: {message.msg} {message.hint}", file=sys.stderr)
    if missing:
        raise CommandError("\n".join(["Manta can't be served like this:", *missing]))


def in_two_lines(message: CheckMessage) -> str:
    lines = [f"- {message.msg}", message.hint and f"  {message.hint}"]
    return "\n".join(line for line in lines if line)


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Keep other processes from migrating the same PostgreSQL: machines may start together."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])


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
    from accounts.models import User

    if User.objects.filter(is_superuser=True).exists():
        return None
    password = secrets.token_urlsafe(12)
    User.objects.create_superuser(ADMIN_EMAIL, password)
    return f"{ADMIN_EMAIL}, password {password}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
