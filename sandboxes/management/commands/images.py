from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sandboxes import control_plane, errors


class Command(BaseCommand):
    help = "Lists the images that SANDBOX_IMAGE can name."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.stdout.write("\n".join(control_plane.sandboxes.list_images()))
        except errors.SandboxError as exc:
            raise CommandError(str(exc)) from exc
