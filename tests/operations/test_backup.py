"""Manta's own data: backed up while it runs, restored, and true again."""

import os
import shutil
import stat
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import close_old_connections, connection
from django.utils import timezone

from accounts.models import User
from operations import backup
from sandboxes import services
from sandboxes.models import Heartbeat, Installation, Orphan, Phase, Sandbox
from sandboxes.reconciler import provider_sync
from sandboxes.reconciler.reconcile import reconcile
from tests.support.factories import SandboxFactory, UserFactory

needs_tools = pytest.mark.skipif(
    connection.vendor == "postgresql" and not shutil.which("pg_dump"),
    reason="pg_dump and pg_restore are not installed",
)
pytestmark = [pytest.mark.django_db(transaction=True), needs_tools]


@pytest.fixture
def file(tmp_path):
    Installation.current()  # every installation is one from its first migration on
    return tmp_path / "manta.backup"


def restore(file):
    call_command("restore", file, "--force", verbosity=0)


def test_what_was_there_comes_back_and_what_came_later_goes(file):
    alice = UserFactory(email="alice@example.com")
    SandboxFactory(owner=alice)
    call_command("backup", file)
    UserFactory(email="later@example.com")
    alice.delete()

    restore(file)

    assert [user.email for user in User.objects.all()] == ["alice@example.com"]
    assert Sandbox.objects.get().owner.email == "alice@example.com"


def test_a_backup_is_for_its_owner_only(file):
    call_command("backup", file)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_one_that_fails_leaves_the_last_one_as_it_was(file, monkeypatch):
    file.write_text("the last one")

    def fail(*args):
        raise backup.BackupError("the disk is full")

    monkeypatch.setattr(backup, "_copy_sqlite", fail)
    monkeypatch.setattr(backup, "_run_postgres", fail)

    with pytest.raises(CommandError, match="disk is full"):
        call_command("backup", file)
    assert file.read_text() == "the last one"
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_backup_during_writes_is_of_one_moment(file):
    ending = threading.Event()

    def write():
        while not ending.is_set():
            SandboxFactory()
        close_old_connections()
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    while Sandbox.objects.count() < 3:
        pass
    call_command("backup", file)
    ending.set()
    writer.join()

    restore(file)

    # A sandbox and its user's link to it are two writes, the link the later one.
    assert Sandbox.objects.count() >= 3
    owners = set(Sandbox.objects.values_list("owner_id", flat=True))
    assert owners <= set(User.objects.values_list("pk", flat=True))


def test_everybody_signs_in_again(client, file):
    client.force_login(UserFactory())
    call_command("backup", file)

    restore(file)

    assert not Session.objects.exists()
    assert client.get("/workspace/").status_code == 302


def test_an_installation_with_users_is_not_overwritten(file):
    call_command("backup", file)
    UserFactory(email="of-today@example.com")

    with pytest.raises(CommandError, match="--force"):
        call_command("restore", file)

    assert User.objects.get().email == "of-today@example.com"


def test_a_running_installation_is_not_overwritten(file):
    call_command("backup", file)
    Heartbeat.note(Heartbeat.Subject.WORKER, ok=True)

    with pytest.raises(CommandError, match="Stop Manta"):
        call_command("restore", file)


def test_what_is_no_backup_is_refused_and_changes_nothing(file):
    UserFactory(email="of-today@example.com")
    file.write_bytes(b"not a database" * 1000)

    with pytest.raises(CommandError, match=r"not a backup|failed"):
        restore(file)
    with pytest.raises(CommandError, match="File not found"):
        restore(file.with_name("nowhere"))

    assert User.objects.get().email == "of-today@example.com"


def test_a_sandbox_that_went_meanwhile_is_found_gone(file, made, provider):
    call_command("backup", file)
    provider.server.delete(made.name)

    restore(file)
    reconcile(made.pk)

    assert Sandbox.objects.get().phase == Phase.GONE


def test_one_that_is_still_there_goes_on(file, made, provider):
    call_command("backup", file)
    Sandbox.objects.all().delete()

    restore(file)
    reconcile(made.pk)

    again = Sandbox.objects.get()
    assert (again.phase, again.error_code) == (Phase.READY, "")
    assert provider.server.names() == [made.name]


def test_a_lease_of_then_holds_up_nobody(file, made):
    soon = timezone.now() + timedelta(hours=1)
    Sandbox.objects.update(lease_holder="00000000-0000-0000-0000-000000000001", lease_until=soon)
    call_command("backup", file)

    restore(file)

    assert Sandbox.objects.due().count() == 1


def test_one_made_after_the_backup_is_adopted_by_its_user(file, alice, provider):
    call_command("backup", file)
    reconcile(services.provisioning.ensure_sandbox(user=alice).pk)
    assert provider.server.names() == [f"user-{alice.pk}"]

    restore(file)
    alice.refresh_from_db()
    reconcile(services.provisioning.ensure_sandbox(user=alice).pk)

    assert Sandbox.objects.get().phase == Phase.READY
    assert provider.server.names() == [f"user-{alice.pk}"]


def test_one_of_a_user_made_after_the_backup_is_listed_and_given_to_nobody(file, provider):
    call_command("backup", file)
    later = UserFactory()
    reconcile(services.provisioning.ensure_sandbox(user=later).pk)
    forgotten = f"user-{later.pk}"

    restore(file)
    provider_sync.sync_all()
    somebody_else = UserFactory()

    assert Orphan.objects.get().name == forgotten
    assert services.provisioning.ensure_sandbox(user=somebody_else).name != forgotten
    assert somebody_else.pk > later.pk


def test_without_the_provider_it_is_restored_and_said(file, provider, capsys):
    UserFactory()
    call_command("backup", file)

    with provider.down():
        restore(file)

    assert User.objects.exists()
    assert "The provider does not respond" in capsys.readouterr().err


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the file is one of SQLite's")
def test_it_is_restored_where_there_is_nothing_yet(file, tmp_path, provider):
    UserFactory(email="alice@example.com")
    call_command("backup", file)
    environ = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "manta.settings",
        "MANTA_STATE_DIR": str(tmp_path),
        "DATABASE_URL": "",
        "BLAXEL_API_URL": provider.url,
    }

    command = [sys.executable, "manage.py", "restore", str(file)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert "Restored" in done.stdout
    assert b"alice@example.com" in (tmp_path / "manta.sqlite3").read_bytes()
