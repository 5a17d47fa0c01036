"""Backing Manta's database up, while it runs, and restoring it into an empty installation.

A backup is one file in the database's own format: what SQLite's backup copies, or pg_dump's
custom archive. Sandboxes are not in it: they live at the provider.
"""

import os
import re
import sqlite3
import subprocess
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts.models import User
from sandboxes import control_plane, errors
from sandboxes.models import Breaker, Heartbeat, Phase, Sandbox

_OWN_NAME = re.compile(r"user-(\d{1,18})")
_ALIVE = timedelta(seconds=15)


class BackupError(Exception):
    """Raised when a backup or a restore can't be done; the message is for the operator."""


def back_up(target: Path) -> None:
    """Write the database as it is at this moment; the file appears when it is whole."""
    draft = target.with_name(f"{target.name}.part")
    # It holds the address and the password hash of every user.
    os.close(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
    try:
        if connection.vendor == "sqlite":
            _copy_sqlite(_settings()["NAME"], draft)
        else:
            _run_postgres("pg_dump", "--format=custom", "--no-owner", f"--file={draft}")
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def restore(source: Path, *, force: bool) -> None:
    """Put the database of a backup in the place of this one, as of the present version.

    All users sign in again, so that no sign-out is undone, and each sandbox is looked at anew.
    """
    if not source.is_file():
        raise BackupError(f"File not found: {source}.")
    if not force:
        _refuse_if_used()
    if connection.vendor == "sqlite":
        _check_sqlite(source)
        connection.close()
        _copy_sqlite(source, _settings()["NAME"])
    else:
        connection.close()
        clean = ("--clean", "--if-exists", "--no-owner", "--single-transaction")
        _run_postgres("pg_restore", *clean, f"--dbname={_settings()['NAME']}", str(source))
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    _settle()


def reserve_ids() -> int | None:
    """Let no new user get the number of one who came after the backup and whose sandbox is left.

    Returns the highest number in use at the provider; None when it can't be asked.
    """
    try:
        names = [record.name for page in control_plane.sandboxes.list_pages() for record in page]
    except errors.SandboxError:
        return None
    numbers = [int(match[1]) for name in names if (match := _OWN_NAME.fullmatch(name))]
    highest = max(numbers, default=0)
    last = User.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    if highest > last:
        _skip_ids_up_to(highest)
    return highest


def _refuse_if_used() -> None:
    tables = connection.introspection.table_names()
    if User._meta.db_table not in tables:
        return
    if Sandbox._meta.db_table in tables and Sandbox.objects.exists():
        raise BackupError("This installation has sandboxes. --force replaces all of its data.")
    if User.objects.filter(is_superuser=False).exists():
        raise BackupError("This installation has users. --force replaces all of its data.")


def _settle() -> None:
    """Remove sessions and states of processes, which do not hold after a restore."""
    Session.objects.all().delete()
    Heartbeat.objects.all().delete()
    Breaker.objects.all().delete()
    Sandbox.objects.exclude(lease_holder=None).update(lease_holder=None, lease_until=None)
    unsettled = Sandbox.objects.filter(phase__in=[Phase.PENDING, Phase.DELETING, Phase.READY])
    unsettled.update(next_attempt_at=timezone.now())


def worker_is_running() -> bool:
    if Heartbeat._meta.db_table not in connection.introspection.table_names():
        return False
    seen = Heartbeat.of(Heartbeat.Subject.WORKER).ok_at
    return seen is not None and timezone.now() - seen < _ALIVE


# ---- SQLite


def _copy_sqlite(source: Any, target: Any) -> None:
    """All pages at once, with what is in the write-ahead log; writers go on meanwhile."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def _check_sqlite(source: Path) -> None:
    try:
        with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as file:
            (verdict,) = file.execute("PRAGMA integrity_check").fetchone()
            file.execute("SELECT 1 FROM django_migrations").fetchone()
    except sqlite3.DatabaseError as exc:
        raise BackupError(f"{source} is not a backup of Manta's SQLite database.") from exc
    if verdict != "ok":
        raise BackupError(f"{source} is damaged: {verdict}.")


# ---- PostgreSQL


def _settings() -> dict[str, Any]:
    return connection.settings_dict


def _run_postgres(tool: str, *options: str) -> None:
    """Run one of PostgreSQL's tools on this database.

    The password goes through the environment: arguments can be read by every user of the machine.
    """
    found = _settings()
    variables = {
        "PGHOST": found["HOST"],
        "PGPORT": str(found["PORT"] or ""),
        "PGUSER": found["USER"],
        "PGPASSWORD": found["PASSWORD"],
        "PGDATABASE": found["NAME"],
        "PGSSLMODE": found["OPTIONS"].get("sslmode"),
    }
    os.environ.update({name: value for name, value in variables.items() if value})
    try:
        done = subprocess.run(  # noqa: S603 (our own)
            [tool, *options], capture_output=True, text=True, check=False
        )
    except FileNotFoundError as exc:
        raise BackupError(
            f"{tool} is not installed. It comes with PostgreSQL's client (postgresql-client)."
        ) from exc
    if done.returncode:
        raise BackupError(f"{tool} failed: {done.stderr.strip()}")


def _skip_ids_up_to(number: int) -> None:
    table = User._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("UPDATE sqlite_sequence SET seq = %s WHERE name = %s", [number, table])
        else:
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, number])
