"""Means to look at a sandbox from outside: its agent's API, and a launcher in another process."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import httpx
import pytest

from local_blaxel.launcher import LaunchSpec

REPOSITORY = Path(__file__).resolve().parents[2]
# For a machine that has other work.
DEADLINE = 60.0
# One for each pytest worker: what a user may have at most is counted over all their processes.
ORDINARY_UID = 54321 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
AS_ORDINARY_USER = "as an ordinary user"
USERS = ["as whoever runs the tests", pytest.param(AS_ORDINARY_USER, marks=pytest.mark.exhaustive)]


def spec(name: str, envs: dict[str, str] | None = None, memory_mb: int = 1024) -> LaunchSpec:
    image = "blaxel/prod-base:latest"
    return LaunchSpec(name=name, image=image, memory_mb=memory_mb, envs=envs or {})


class Ran(NamedTuple):
    code: int
    output: str


class Agent(httpx.Client):
    """The data plane of one sandbox, straight to its agent."""

    def __init__(self, path: Path) -> None:
        # No TLS: to read all certificates takes longer than most tests do.
        transport = httpx.HTTPTransport(uds=str(path), verify=False)
        super().__init__(
            transport=transport, base_url="http://sandbox", timeout=DEADLINE, trust_env=False
        )
        self.socket_path = path

    def execute(self, command: str, **fields: Any) -> httpx.Response:
        return self.post("/process", json={"command": command, **fields})

    def run(self, command: str, **fields: Any) -> Ran:
        """Run a command to its end: exit code, and both streams as they came."""
        process = self.execute(command, waitForCompletion=True, **fields).json()
        return Ran(process["exitCode"], process["logs"])

    def printed(self, process: str | int) -> str:
        """What a process has printed so far."""
        logs: str = self.get(f"/process/{process}/logs").raise_for_status().json()["logs"]
        return logs

    def write(self, path: str, content: str) -> None:
        self.put(f"/filesystem/{path}", json={"content": content}).raise_for_status()

    def send_raw(self, data: bytes) -> None:
        """Send these bytes and hang up."""
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(self.socket_path))
            line.sendall(data)

    def read(self, path: str) -> str:
        content: str = self.get(f"/filesystem/{path}").raise_for_status().json()["content"]
        return content


def kill_agents(state_dir: Path, instance: str = "*") -> None:
    """Kill a sandbox's first process from the host, as nothing inside can; by default of each."""
    for known in state_dir.glob(f"{instance}/processes"):
        os.kill(json.loads(known.read_text())["init"], signal.SIGKILL)


def ordinary_python() -> str:
    """An interpreter that any user may run and that has the same libraries; or skip."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, shutil.which(version, path="/usr/bin:/usr/local/bin")):
        command = [*as_user(ORDINARY_UID), str(python), "-c", "import starlette, httptools"]
        if python and shutil.which("setpriv") and succeeds(command):
            return python
    pytest.skip(f"no {version} here that an ordinary user may run together with the libraries")


def as_user(uid: int) -> list[str]:
    # Through env: setpriv itself still finds its program with root's rights.
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "env"]


def maps_owners(folder: Path) -> bool:
    """Whether a mount of this folder can show other owners than the disk has."""
    kernel = tuple(map(int, re.findall(r"\d+", os.uname().release)[:2]))
    kind = subprocess.run(
        ["stat", "-f", "-c", "%T", folder], capture_output=True, text=True, check=True
    ).stdout.strip()
    since = {"ext2/ext3": (5, 19), "xfs": (5, 19), "btrfs": (5, 19), "tmpfs": (6, 3)}
    return kind in since and kernel >= since[kind]


def succeeds(command: list[str]) -> bool:
    return subprocess.run(command, env=environment(), capture_output=True).returncode == 0


def environment() -> dict[str, str]:
    import starlette

    libraries = Path(starlette.__file__).parents[1]
    return {"PYTHONPATH": f"{REPOSITORY}:{libraries}", "PATH": os.defpath, "CANARY_OUTSIDE": "seen"}


class Host:
    """A launcher in a process of its own, which can be another user's and can be killed."""

    def __init__(self, state_dir: Path, *, python: str = sys.executable, uid: int | None = None):
        self.state_dir = state_dir
        self.uid = uid
        command = [python, "-m", "tests.support.launcher_process", str(state_dir)]
        if uid is not None:
            os.chown(state_dir, uid, uid)
            command = [*as_user(uid), *command]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
            cwd=REPOSITORY,
        )

    def call(self, method: str, *arguments: Any) -> Any:
        """Call a method of the launcher there; skips the test where it can't start."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps([method, *arguments]) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "cannot launch" in answer:
            pytest.skip(answer["cannot launch"])
        return answer["result"]

    def kill(self) -> None:
        self.process.kill()
        self._end()

    def _end(self) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.wait(DEADLINE)
        self.process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.process.returncode is None:
            self._end()
