from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from operations import backup


class Command(BaseCommand):
    help = "Replaces the database with the one from a backup. Stop Manta first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--force", action="store_true", help="even if there are users, or a worker is running"
        )

    def handle(self, *args: Any, file: Path, force: bool, **options: Any) -> None:
        if backup.worker_is_running() and not force:
            raise CommandError("A worker is running. Stop Manta first.")
        try:
            backup.restore(file, force=force)
        except (backup.BackupError, OSError) as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write("Restored. All users have to sign in again.")
        if backup.reserve_ids() is None:
            self.stderr.write(
                "The provider does not respond. Before anyone signs up, run this again, or make "
                "sure that the provider has no sandbox of an account created after the backup."
            )
