"""Manta as people run it, on free ports and a state directory of its own."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.support.blaxel_client import KEY, Blaxel
from tests.support.supervisor import ROOT, Supervisor, free_port, new_state_dir
from tests.support.waiting import wait_until

# A busy machine starts all of it in minutes; nothing here is timed.
TIMEOUT = 150.0
SETTINGS = "tests.support.running_settings"


@contextmanager
def copy_of(prepared: Path) -> Iterator[Path]:
    with new_state_dir() as path:
        shutil.copytree(prepared, path, symlinks=True, dirs_exist_ok=True)
        yield path


class Manta:
    """What `make run` runs; ends with everything that ran in it."""

    def __init__(self, state_dir: Path, **environ: str) -> None:
        blaxel_port = free_port()
        own = {
            "LOCAL_BLAXEL_PORT": str(blaxel_port),
            "LOCAL_BLAXEL_API_KEY": KEY,
            "LOCAL_BLAXEL_ISOLATION": "",
            "MANTA_RATE_LIMITS": "false",
            "DJANGO_SETTINGS_MODULE": SETTINGS,
        }
        self.state_dir = state_dir
        self._supervisor = Supervisor(state_dir, **own | environ)
        self.port, self.url = self._supervisor.port, self._supervisor.url
        self.blaxel = Blaxel(blaxel_port)

    def __enter__(self) -> "Manta":
        try:
            self._supervisor.until_ready()
        except AssertionError:
            self._supervisor.__exit__()
            if "LOCAL_BLAXEL_ISOLATION=none" in self.output:
                pytest.skip("Sandboxes can't be isolated on this machine.")
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.blaxel.close()
        self._supervisor.__exit__(*exc)

    @property
    def output(self) -> str:
        """Everything that the processes have said."""
        return self._supervisor.output

    def pids(self, name: str) -> list[int]:
        """The processes of one kind, of which there may be several."""
        return self._supervisor.pids(name)


class Parts:
    """Manta's three processes, each started as `make run` does, and each to be killed alone."""

    COMMANDS = {
        "local_blaxel": ("-m", "local_blaxel"),
        "worker": ("manage.py", "worker"),
        "web": ("-m", "uvicorn", "manta.asgi:application", "--no-access-log", "--port"),
    }

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self.port, self._blaxel_port = free_port(), free_port()
        self.url = f"http://localhost:{self.port}"
        self.blaxel = Blaxel(self._blaxel_port)
        self.extra: dict[str, str] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "Parts":
        self.mend()
        return self

    def __exit__(self, *exc: object) -> None:
        try:
            self.mend()
            self.blaxel.close()
        finally:
            for name in reversed(self.COMMANDS):
                self.stop(name)

    def mend(self) -> None:
        """Have all three running, whatever a test has done to them."""
        for name in self.COMMANDS:
            if name in self._running and self._running[name].poll() is None:
                self.signal(name, signal.SIGCONT)
            else:
                self.start(name)
        wait_until(self._answers, TIMEOUT)

    def start(self, name: str) -> None:
        last = (str(self.port),) if name == "web" else ()
        with self._log(name).open("wb") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, *self.COMMANDS[name], *last],
                cwd=ROOT,
                env=environment(self.state_dir, self.port, self._blaxel_port) | self.extra,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def manage(self, *arguments: str) -> str:
        """What a command of manage.py prints."""
        command = [sys.executable, "manage.py", *arguments]
        environ = environment(self.state_dir, self.port, self._blaxel_port) | self.extra
        return subprocess.run(
            command, cwd=ROOT, env=environ, check=True, stdout=subprocess.PIPE, text=True
        ).stdout

    def confirm_address(self, email: str) -> None:
        """Do what the link in a person's first mail does, without a process of Django's."""
        with closing(sqlite3.connect(self.state_dir / "manta.sqlite3", timeout=20)) as db, db:
            confirmed = "UPDATE account_emailaddress SET verified = 1 WHERE email = ?"
            assert db.execute(confirmed, [email]).rowcount == 1

    def stop(self, name: str) -> None:
        self.signal(name, signal.SIGTERM)
        self._running[name].wait(TIMEOUT)

    def signal(self, name: str, number: signal.Signals) -> None:
        self._running[name].send_signal(number)

    def kill(self, name: str) -> None:
        """As by `kill -9`."""
        self.signal(name, signal.SIGKILL)
        self._running[name].wait(TIMEOUT)

    def crash(self, sandbox: str) -> None:
        """Kill a sandbox's own agent, and with it all that runs in there."""
        path = self.state_dir / "local_blaxel/local_blaxel.sqlite3"
        with closing(sqlite3.connect(path)) as database:
            asked = "SELECT instance FROM sandboxes WHERE name = ?"
            (instance,) = database.execute(asked, [sandbox]).fetchone()
        search = ["pgrep", "--full", f"local_blaxel.agent {instance} "]
        for pid in subprocess.check_output(search, text=True).split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)

    def restart(self, *names: str, **extra: str) -> None:
        """Start some of them again, with these variables in addition to the usual ones."""
        self.extra = extra
        for name in names:
            self.kill(name)
        self.mend()

    def _log(self, name: str) -> Path:
        return self.state_dir / f"{name}.log"

    def _answers(self) -> bool:
        for name, process in self._running.items():
            assert process.poll() is None, f"{name}: {self._log(name).read_text()}"
        with suppress(httpx.TransportError):
            httpx.get(f"{self.url}/healthz", trust_env=False)
            self.blaxel.http.get("/health")
            return "Worker ready." in self._log("worker").read_text()
        return False


def ways_in(provider: str) -> dict[str, str]:
    """GitHub and Google, both at a server of the tests."""
    return {
        "DJANGO_SETTINGS_MODULE": "tests.support.social_login_settings",
        "PROVIDER_OF_THE_TEST": provider,
        "GITHUB_CLIENT_ID": "id-at-github",
        "GITHUB_CLIENT_SECRET": "secret-at-github",
        "GOOGLE_CLIENT_ID": "id-at-google",
        "GOOGLE_CLIENT_SECRET": "secret-at-google",
    }


def environment(state_dir: Path, port: int, blaxel_port: int) -> dict[str, str]:
    """What `make run` gives its processes."""
    origin = f"http://127.0.0.1:{blaxel_port}"
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(state_dir),
        "PYTHONUNBUFFERED": "1",
        "PORT": str(port),
        "SECRET_KEY": "of-the-e2e-run",
        "MANTA_STATE_DIR": str(state_dir),
        "DJANGO_SETTINGS_MODULE": SETTINGS,
        "MANTA_LOCAL": "true",
        "MANTA_RATE_LIMITS": "false",
        "DATABASE_URL": "",
        "REDIS_URL": "",
        "BLAXEL_WORKSPACE_ID": "manta",
        "BLAXEL_API_KEY": KEY,
        "BLAXEL_API_URL": f"{origin}/v0",
        "MANTA_PREVIEW_ORIGINS": f"{origin},http://*.localhost:{blaxel_port}",
        "MANTA_FRAME_PREVIEWS": "true",
        "LOCAL_BLAXEL_PORT": str(blaxel_port),
        "LOCAL_BLAXEL_STATE_DIR": str(state_dir / "local_blaxel"),
        "LOCAL_BLAXEL_API_KEY": KEY,
        "DO_NOT_TRACK": "1",
        "NO_PROXY": "localhost,127.0.0.1",
    }
