"""A real worker process on the database of the tests."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.faulty_provider import Provider
from tests.support.web_process import database_url

STOP_TIMEOUT = 30.0


@contextmanager
def running_worker(blaxel: Provider) -> Iterator[subprocess.Popen[str]]:
    """A worker that is ready; it has to end cleanly on SIGTERM."""
    environ = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        "DJANGO_SETTINGS_MODULE": "manta.settings",
        "DATABASE_URL": database_url(),
        "BLAXEL_API_URL": blaxel.url,
    }
    command = [sys.executable, "manage.py", "worker"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "Worker ready.\n"
            yield process
            process.terminate()
            assert process.wait(STOP_TIMEOUT) == 0
        finally:
            process.kill()
