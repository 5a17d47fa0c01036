"""The real `make run` and `make serve`, on free ports and a state directory of their own."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Supervisor:
    """A `python -m scripts.run` and what it has said so far."""

    MODULE = "scripts.run"
    READY = "Manta is running at"
    WORDS = {"web": "uvicorn", "worker": "manage.py worker", "local_blaxel": "-m local_blaxel"}

    def __init__(self, state_dir: Path, **environ: str) -> None:
        self.state_dir = state_dir
        self.port = free_port()
        self._lines: list[str] = []
        own = {
            "PATH": os.environ["PATH"],
            "HOME": str(state_dir),
            "PORT": str(self.port),
            "LOCAL_BLAXEL_PORT": str(free_port()),
            "MANTA_STATE_DIR": str(state_dir),
            # No sandbox is made here, so these tests run where bubblewrap can't.
            "LOCAL_BLAXEL_ISOLATION": "none",
            # Empty, so that a developer's .env has no say.
            "BLAXEL_WORKSPACE_ID": "",
            "BLAXEL_API_KEY": "",
            "DATABASE_URL": "",
            "REDIS_URL": "",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", self.MODULE],
            cwd=ROOT,
            env=own | environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self) -> "Supervisor":
        return self

    def __exit__(self, *exc: object) -> None:
        if self.process.poll() is None:
            self.stop(signal.SIGTERM)
        # What a killed local_blaxel leaves for the next start to find.
        left = f"local_blaxel.agent .*{self.state_dir}/"
        subprocess.run(["pkill", "-KILL", "-f", left], check=False)

    @property
    def output(self) -> str:
        return "".join(self._lines)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def until_ready(self) -> "Supervisor":
        deadline = time.monotonic() + 150
        while self.READY not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.05)
        return self

    def children(self) -> dict[str, int]:
        """The process ids of the three, by what is in their command line."""
        return {name: pid for name in self.WORDS for pid in self.pids(name)}

    def pids(self, name: str) -> list[int]:
        """The processes of one kind, the oldest first."""
        listing = subprocess.run(
            ["ps", "-o", "pid=,args=", "--ppid", str(self.process.pid)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        rows = [line.split(maxsplit=1) for line in listing.splitlines()]
        return sorted(int(pid) for pid, args in rows if self.WORDS[name] in args)

    def wait(self) -> int:
        """Its exit status."""
        status = self.process.wait(timeout=60)
        self._reader.join()
        return status

    def stop(self, number: int = signal.SIGINT) -> tuple[int, float]:
        """Its exit status, and the seconds that it took."""
        asked = time.monotonic()
        self.process.send_signal(number)
        return self.wait(), time.monotonic() - asked

    def _read(self) -> None:
        with self.process.stdout as output:
            for line in output:
                self._lines.append(line)


class Serving(Supervisor):
    """A `python -m scripts.serve`: it has no provider of its own, and none to talk to."""

    MODULE = "scripts.serve"
    READY = "Manta is served "

    def __init__(self, state_dir: Path, **environ: str) -> None:
        own = {
            "SECRET_KEY": "of-the-tests-4fQ9vXk2LmZr7TbY6NcWd3HsJp8GuEa5",
            "MANTA_LOCAL": "true",
            "BLAXEL_WORKSPACE_ID": "manta",
            "BLAXEL_API_KEY": "key-of-the-tests",
            "BLAXEL_API_URL": "http://127.0.0.1:9/v0",
            "NO_PROXY": "localhost,127.0.0.1",
        }
        super().__init__(state_dir, **own | environ)


@contextmanager
def new_state_dir() -> Iterator[Path]:
    # Not pytest's own: a socket's path has to be short.
    path = Path(tempfile.mkdtemp(prefix="manta-run-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
