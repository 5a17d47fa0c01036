from argparse import ArgumentParser
from typing import Any

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.core.management.base import BaseCommand, CommandError

from sandboxes import errors
from sandboxes.models import Orphan
from sandboxes.reconciler import orphans


class Command(BaseCommand):
    help = (
        "Lists the sandboxes at the provider that carry Manta's label and that no row stands for. "
        "Deletes none unless told to; never another installation's, nor one younger than an hour."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--delete", nargs="+", metavar="NAME", help="delete these")
        which.add_argument(
            "--all", action="store_true", help="delete every one whose owner is no longer a user"
        )
        parser.add_argument("--yes", action="store_true", help="don't ask first")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = {orphan.name: orphan for orphan in orphans.find()}
        except errors.SandboxError as exc:
            raise CommandError(str(exc)) from exc
        for orphan in found.values():
            self._describe(orphan)
        self.stdout.write(f"{len(found)} found.")
        if options["all"]:
            self._delete([o.name for o in found.values() if _is_nobodys(o)], options["yes"])
        elif options["delete"]:
            self._delete(options["delete"], options["yes"])

    def _describe(self, orphan: Orphan) -> None:
        made_at = orphan.provider_created_at
        owner = orphans.owner_of(orphan)
        left_alone = orphans.why_not_deletable(orphan)
        about = [
            orphan.get_reason_display(),
            f"made {naturaltime(made_at)}" if made_at else "age unknown",
            f"{orphan.image}, {orphan.memory_mb or '?'} MB",
            f"{owner} gets it back at the next sign-in" if owner else "",
            f"left alone: {left_alone}" if left_alone else "can be deleted",
        ]
        self.stdout.write(f"{orphan.name}: {'; '.join(part for part in about if part)}")

    def _delete(self, names: list[str], sure: bool) -> None:
        if not names or not (sure or self._is_confirmed(names)):
            self.stdout.write("Nothing deleted.")
            return
        failed = 0
        for name in names:
            try:
                orphans.delete(name)
                self.stdout.write(f"{name}: deleted.")
            except errors.SandboxError as exc:
                failed += 1
                self.stderr.write(f"{name}: {exc}")
        if failed:
            raise CommandError(f"{failed} of {len(names)} not deleted.")

    def _is_confirmed(self, names: list[str]) -> bool:
        answer = input(f"Delete {', '.join(names)} with everything in them? Type yes: ")
        return answer.strip() == "yes"


def _is_nobodys(orphan: Orphan) -> bool:
    return not orphans.why_not_deletable(orphan) and orphans.owner_of(orphan) is None
