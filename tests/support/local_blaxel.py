"""local_blaxel as a real process, and the official SDK pointed at it."""

import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.launcher_host import (
    AS_ORDINARY_USER,
    ORDINARY_UID,
    USERS,
    as_user,
    environment,
    ordinary_python,
)
from tests.support.prepared_state import link_runtime
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
KEY = "key-of-the-tests"
# Seconds, for a machine that has other work.
TIMEOUT = 60.0


class Server:
    """One `python -m local_blaxel` with a state directory of its own; may be killed."""

    def __init__(self, is_ordinary: bool = False, **variables: str) -> None:
        # Short: a socket's path may have 107 characters.
        self.state_dir = Path(tempfile.mkdtemp(prefix="lb-"))
        self.log = self.state_dir.with_suffix(".log")
        self._variables = variables
        self._python = [sys.executable]
        if is_ordinary:
            self._python = [*as_user(ORDINARY_UID), ordinary_python()]
            self._variables = {**environment(), **variables}
            os.chown(self.state_dir, ORDINARY_UID, ORDINARY_UID)
        else:
            link_runtime(self.state_dir / "sandboxes")
        self.start()

    def start(self) -> None:
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*self._python, "-m", "local_blaxel"],
                cwd=ROOT,
                env=self.environ(),
                stdout=log,
                stderr=log,
            )
        try:
            self.url = wait_until(self._address, TIMEOUT)
        except AssertionError:
            self.process.kill()
            self.process.wait()
            raise
        headers = {"X-Blaxel-Authorization": f"Bearer {KEY}", "Blaxel-Version": "2026-09-22"}
        self.http = httpx.Client(
            base_url=self.url, headers=headers, timeout=TIMEOUT, trust_env=False
        )

    def _address(self) -> str | None:
        assert self.process.poll() is None, self.log.read_text()
        said = re.search(r"LOCAL_BLAXEL_URL=(\S+)\n", self.log.read_text())
        return said and said[1]

    def environ(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "LOCAL_BLAXEL_PORT": "0",
            "LOCAL_BLAXEL_STATE_DIR": str(self.state_dir),
            "LOCAL_BLAXEL_API_KEY": KEY,
            "LOCAL_BLAXEL_STANDBY_AFTER": "0.3",
            **self._variables,
        }

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def kill(self) -> None:
        self.end_by(signal.SIGKILL)

    def end_by(self, number: signal.Signals) -> str:
        """Send a signal, wait for the end, and return all that was said."""
        self.process.send_signal(number)
        self.process.wait(TIMEOUT)
        self.http.close()
        return self.log.read_text()

    def empty(self) -> None:
        """Delete every sandbox and snapshot; a server that was ended runs again afterwards."""
        if self.process.poll() is not None:
            self.start()
        for snapshot in self.http.get("/v0/snapshots", params={"limit": 200}).json()["data"]:
            self.http.delete(f"/v0/snapshots/{snapshot['id']}").raise_for_status()
        for name in self.names():
            self.http.delete(f"/v0/sandboxes/{name}")
        wait_until(lambda: self.http.get("/health").json()["sandboxes"] == 0, TIMEOUT)

    def clear_away(self) -> None:
        """End the server, and first everything it runs."""
        self.empty()
        said = self.end_by(signal.SIGTERM)
        shutil.rmtree(self.state_dir)
        self.log.unlink()
        assert "Traceback" not in said, said

    def records(self) -> list[dict[str, Any]]:
        return self.http.get("/v0/sandboxes", params={"limit": 200}).json()["data"]

    def names(self) -> list[str]:
        return [record["metadata"]["name"] for record in self.records()]

    def statuses(self) -> list[str]:
        return [record["status"] for record in self.records()]

    def get(self, name: str) -> dict[str, Any]:
        return self.http.get(f"/v0/sandboxes/{name}").json()

    def create(self, name: str | None = None, **spec: Any) -> str:
        """Create a sandbox with raw HTTP and return its name."""
        name = name or new_name()
        body = {"metadata": {"name": name}, "spec": spec}
        response = self.http.post("/v0/sandboxes", json=body)
        assert response.status_code == 200, response.text
        return name

    def inside(self, name: str, path: str = "") -> str:
        return f"/manta/sandboxes/{name}{path}"

    def run(self, sandbox: str, command: str, /, **options: Any) -> dict[str, Any]:
        """Run a command inside, by default to its end."""
        body = {"command": command, "waitForCompletion": True, **options}
        response = self.http.post(self.inside(sandbox, "/process"), json=body)
        assert response.status_code == 200, response.text
        return response.json()

    def serve(self, name: str, port: int, code: str) -> None:
        """Write a Python server into the sandbox, and start it on the port."""
        path = self.inside(name, f"/filesystem//blaxel/serve{port}.py")
        self.http.put(path, json={"content": code}).raise_for_status()
        command = f"python3 /blaxel/serve{port}.py {port}"
        self.run(name, command, waitForCompletion=False, waitForPorts=[port], keepAlive=False)

    def delete(self, name: str) -> None:
        self.http.delete(f"/v0/sandboxes/{name}").raise_for_status()
        wait_until(lambda: self.get(name)["status"] == "TERMINATED")

    def sleeps(self, name: str) -> bool:
        return self.get(name)["state"] == "STANDBY"


def new_name() -> str:
    return f"test-{secrets.token_hex(4)}"


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.clear_away()


@pytest.fixture(scope="session")
def second_server() -> Iterator[Server]:
    running = Server()
    yield running
    running.clear_away()


@pytest.fixture(scope="session")
def ordinary_server() -> Iterator[Server]:
    if os.geteuid() != 0:
        pytest.skip("the tests run as an ordinary user already")
    running = Server(is_ordinary=True)
    yield running
    running.clear_away()


@pytest.fixture(scope="session")
def registryless_server() -> Iterator[Server]:
    """A server whose npm registry is not there: the first use of some images waits, and fails."""
    running = Server(npm_config_registry="http://127.0.0.1:1/")
    yield running
    running.clear_away()


@pytest.fixture(params=USERS)
def any_server(request: pytest.FixtureRequest) -> Server:
    """A server run as the user of the tests and, when that is root, one of an ordinary user.

    For what depends on the user: limits, and the owners of files. All else uses `server`.
    """
    is_ordinary = request.param == AS_ORDINARY_USER
    running: Server = request.getfixturevalue("ordinary_server" if is_ordinary else "server")
    return running


@pytest.fixture
def own_server(second_server: Server) -> Iterator[Server]:
    """A server that the test may kill, without a sandbox at first."""
    yield second_server
    second_server.empty()


@pytest.fixture
def name(server: Server) -> Iterator[str]:
    """A sandbox on the shared server."""
    made = server.create()
    yield made
    server.http.delete(f"/v0/sandboxes/{made}")


@pytest.fixture
def sdk(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The SDK's sandbox class, pointed at the server for one test."""
    monkeypatch.setenv("DO_NOT_TRACK", "1")
    monkeypatch.setenv("BL_REGION", "us-pdx-1")
    from blaxel.core import SyncSandboxInstance
    from blaxel.core.authentication.apikey import ApiKey
    from blaxel.core.authentication.types import CredentialsType
    from blaxel.core.client.client import client
    from blaxel.core.common.settings import settings

    before = client._base_url, settings.auth, client._auth
    settings.auth = ApiKey(CredentialsType(api_key=KEY, workspace="manta"), "manta", server.url)
    client.with_auth(settings.auth)
    client.with_base_url(f"{server.url}/v0")
    yield SyncSandboxInstance
    client.with_base_url(before[0])
    client.with_auth(before[2])
    settings.auth = before[1]


@pytest.fixture
async def async_box(sdk: Any, name: str) -> AsyncIterator[Any]:
    """The same sandbox through the SDK's asynchronous class, whose clients nobody else closes."""
    from blaxel.core import SandboxInstance

    box = await SandboxInstance.get(name)
    yield box
    await close_clients(box)


async def close_clients(box: Any) -> None:
    """Close what the SDK opened for an instance of its asynchronous class."""
    from blaxel.core.client.client import client

    clients = [part._client for part in (box.fs, box.process, box.network)]
    for each in filter(None, [*clients, client._async_client]):
        await each.aclose()
    client._async_client = None
