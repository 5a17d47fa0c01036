"""Web processes on the database of the tests, and pages that listen to them."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from django.db import connection
from django.test import Client

from sandboxes.streams.paths import STATUS
from tests.settings import CANARY_KEY
from tests.support.supervisor import ROOT, free_port
from tests.support.waiting import wait_until

# A machine may be busy; nothing here is timed.
TIMEOUT = 90.0


class Web:
    """A real uvicorn; several may share the database, as on several machines."""

    def __init__(self, **environ: str) -> None:
        self._environ = environ
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._state_dir = Path(tempfile.mkdtemp(prefix="manta-web-"))
        self.log = self._state_dir / "web.log"
        self.spawn()

    def spawn(self) -> None:
        environ = {
            "PATH": os.environ["PATH"],
            "SECRET_KEY": "for-tests-only",
            "MANTA_STATE_DIR": str(self._state_dir),
            "MANTA_LOCAL": "1",
            "DATABASE_URL": database_url(),
            "REDIS_URL": "",
            "BLAXEL_WORKSPACE_ID": "manta",
            "BLAXEL_API_KEY": CANARY_KEY,
            "BLAXEL_API_URL": "http://127.0.0.1:9/v0",
            "DO_NOT_TRACK": "1",
            **self._environ,
        }
        command = [sys.executable, "-m", "uvicorn", "manta.asgi:application", "--no-access-log"]
        command += ["--http", "manta.core.http_protocol:HttpProtocol"]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port)], cwd=ROOT, env=environ, stdout=log, stderr=log
            )

    def until_ready(self) -> "Web":
        wait_until(self._answers, TIMEOUT)
        return self

    def clear_away(self) -> str:
        """End it; returns all that it has said."""
        self.end()
        said = self.log.read_text()
        shutil.rmtree(self._state_dir)
        return said

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(number)
        self.process.wait(TIMEOUT)

    def open_streams(self) -> int:
        """As it counts them itself."""
        text = httpx.get(f"{self.url}/metrics", trust_env=False).text
        lines = [line for line in text.splitlines() if line.startswith("manta_open_streams")]
        return int(float(lines[0].split()[-1])) if lines else 0

    def database_connections(self) -> int:
        """Those of this process, or on PostgreSQL of all: nobody else's come and go meanwhile."""
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                )
                return int(cursor.fetchone()[0])
        files = Path(f"/proc/{self.process.pid}/fd").iterdir()
        return sum(
            str(os.readlink(file)) == str(connection.settings_dict["NAME"]) for file in files
        )

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/healthz", trust_env=False).is_success
        return False


def database_url() -> str:
    own = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{own['NAME']}"
    login = f"{own['USER']}:{own['PASSWORD']}@{own['HOST']}:{own['PORT'] or 5432}"
    return f"postgres://{login}/{own['NAME']}"


def cookie_of(user: Any) -> str:
    """A new session of the user's, as a header has it."""
    client = Client()
    client.force_login(user)
    return f"sessionid={client.cookies['sessionid'].value}"


@dataclass(frozen=True)
class Message:
    name: str
    data: dict[str, Any]


class Page:
    """What a browser's EventSource does, but for coming back by itself."""

    def __init__(self, web: Web, cookie: str, after: str = "", path: str = STATUS) -> None:
        self.said: list[Message] = []
        self.status = 0
        self.headers: httpx.Headers = httpx.Headers()
        self.last_id = after
        self.over = False
        self._path = path
        self._http = httpx.Client(base_url=web.url, trust_env=False, timeout=httpx.Timeout(60))
        self._headers = {"Cookie": cookie} | ({"Last-Event-ID": after} if after else {})
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        wait_until(lambda: self.status, TIMEOUT)

    def _listen(self) -> None:
        with (
            suppress(httpx.TransportError),
            self._http.stream("GET", self._path, headers=self._headers) as answer,
        ):
            self.headers, self.status = answer.headers, answer.status_code
            self._read(answer)
        self.over = True

    def _read(self, answer: httpx.Response) -> None:
        fields: dict[str, str] = {}
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if line:
                fields[name] = value
            elif "event" in fields:
                self.last_id = fields.get("id", self.last_id)
                self.said.append(Message(fields["event"], json.loads(fields["data"])))
                fields = {}

    def close(self) -> None:
        self._http.close()

    def all(self, name: str) -> list[dict[str, Any]]:
        return [message.data for message in self.said if message.name == name]

    def states(self) -> list[str]:
        return [state["state"] for state in self.all("state")]

    def actions(self) -> list[str]:
        return [event["action"] for event in self.all("event")]

    def shows(self, state: str) -> None:
        """Wait until it is the last that was said of the sandbox."""
        wait_until(lambda: self.states()[-1:] == [state], TIMEOUT)

    def hears(self, *actions: str) -> None:
        """Wait until these, in this order and nothing else, have been told."""
        wait_until(lambda: len(self.actions()) >= len(actions), TIMEOUT)
        assert self.actions() == list(actions)

    def ends(self) -> str:
        """Wait until the stream is over; the reason that was given."""
        wait_until(lambda: self.over, TIMEOUT)
        reasons = [end["reason"] for end in self.all("end")]
        return reasons[-1] if reasons else ""
