import os
import signal
from typing import Any

from django.core.management.base import BaseCommand

from sandboxes.reconciler.worker import Worker


class Command(BaseCommand):
    help = "Makes every sandbox's row and the sandbox itself agree. Run one, or several."
    # A start has checked them (scripts/prepare.py); here they would import every page and route,
    # a sixth of the process's memory.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        worker = Worker()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: worker.stopping.set())
        worker.run(ready=self._say_ready)
        # Not sys.exit: it would wait for a thread that waits for the provider.
        os._exit(0)

    def _say_ready(self) -> None:
        self.stdout.write("Worker ready.")
        self.stdout.flush()  # the process that started it reads this from a pipe
