"""A PostgreSQL of the test's own, where this machine has one."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.supervisor import free_port
from tests.support.waiting import wait_until


def _program(name: str) -> str:
    """Debian keeps the server's programs off the PATH."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = shutil.which(name) or (debian and str(debian[-1]))
    if not found:
        pytest.skip(f"There is no PostgreSQL server here ({name}).")
    return str(found)


def _run_as() -> dict[str, Any]:
    """It refuses to be run by root."""
    if os.getuid():
        return {}
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        pytest.skip("PostgreSQL doesn't run as root, and there is no user postgres.")
    return {"user": "postgres", "group": "postgres", "extra_groups": []}


class Postgres:
    def __init__(self) -> None:
        self._initdb, self._server, self._as = _program("initdb"), _program("postgres"), _run_as()
        self._folder = Path(tempfile.mkdtemp(prefix="manta-pg-"))
        self._port = free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self._port}/postgres"
        self._connection: psycopg.Connection[Any] | None = None

    def __enter__(self) -> "Postgres":
        if self._as:
            shutil.chown(self._folder, "postgres", "postgres")
        data = str(self._folder / "data")
        options = ("-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "--encoding", "UTF8")
        quiet = {"stdout": subprocess.DEVNULL, "cwd": self._folder, **self._as}
        subprocess.run([self._initdb, *options], check=True, **quiet)
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._connection:
            self._connection.close()
        self.end_by(signal.SIGQUIT)
        shutil.rmtree(self._folder)

    def start(self) -> None:
        options = {"listen_addresses": "127.0.0.1", "port": self._port, "fsync": "off"}
        self.process = subprocess.Popen(
            [
                *(self._server, "-D", str(self._folder / "data"), "-k", str(self._folder)),
                *(word for name, value in options.items() for word in ("-c", f"{name}={value}")),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
            **self._as,
        )
        wait_until(self._answers)

    def end_by(self, number: signal.Signals) -> None:
        """SIGINT: its fast shutdown, which ends every connection."""
        self.process.send_signal(number)
        self.process.wait(30)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        # StoredRecord, because a new one for each question would be half of a small machine's work.
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self.url, autocommit=True)
        return self._connection.execute(query).fetchall()

    def _answers(self) -> bool:
        try:
            return bool(self.ask("SELECT 1"))
        except psycopg.OperationalError:
            return False
