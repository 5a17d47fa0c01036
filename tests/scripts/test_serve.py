"""`make serve`, as far as it needs nothing but this machine; tests/serve has the rest."""

import os
import re
import signal
import socket
import threading
from contextlib import contextmanager

import httpx
import pytest

from tests.local_blaxel.running import until
from tests.scripts.supervisor import Serving, new_state_dir

# What an installation on the internet has; nobody answers at the provider's name.
ON_THE_INTERNET = {
    "MANTA_LOCAL": "false",
    "ALLOWED_HOSTS": "manta.example",
    "TRUSTED_PROXY_COUNT": "1",
    "EMAIL_HOST": "smtp.invalid",
    "BLAXEL_API_URL": "https://blaxel.invalid/v0",
    "SECRET_KEY": "of-the-tests-4fQ9vXk2LmZr7TbY6NcWd3HsJp8GuEa5Qx9Rt2Vy6Zc",
}
AS_THE_PROXY_SAYS = {
    "Host": "manta.example",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-For": "203.0.113.9",
}


@pytest.fixture(scope="module")
def served():
    """As on the internet, and seen as the reverse proxy sees it."""
    with new_state_dir() as path, Serving(path, **ON_THE_INTERNET) as supervisor:
        yield supervisor.until_ready()


@pytest.fixture
def proxy(served):
    with httpx.Client(base_url=served.url, headers=AS_THE_PROXY_SAYS, trust_env=False) as client:
        yield client


def refused(**environ):
    with new_state_dir() as path, Serving(path, **environ) as supervisor:
        return supervisor.wait(), supervisor.output


def test_everything_that_is_missing_is_said_at_once():
    blaxel = ["BLAXEL_WORKSPACE_ID", "BLAXEL_API_KEY", "BLAXEL_API_URL"]
    unset = dict.fromkeys(["SECRET_KEY", "MANTA_LOCAL", *blaxel], "")

    status, output = refused(**unset, WEB_CONCURRENCY="2", WORKER_CONCURRENCY="2")

    assert status == 1
    assert "Traceback" not in output
    found = re.findall(r"^- .*?([A-Z]+_[A-Z_]+|provider)", output, re.MULTILINE)
    assert found == [
        "SECRET_KEY",
        "WEB_CONCURRENCY",
        "WEB_CONCURRENCY",
        "ALLOWED_HOSTS",
        "provider",
        "TRUSTED_PROXY_COUNT",
    ]
    assert "Set REDIS_URL" in output
    assert "Set DATABASE_URL=postgres://" in output


def test_a_weak_secret_key_is_refused():
    status, output = refused(**ON_THE_INTERNET | {"SECRET_KEY": "secret"})

    assert (status, "- Your SECRET_KEY" in output) == (1, True)


def test_an_address_in_use_is_named_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        status, output = refused(PORT=str(port))

    assert status == 1
    assert output == f"manta: HOST 127.0.0.1, PORT {port}: Address already in use.\n"


def test_behind_a_proxy_that_speaks_https_cookies_are_for_https_alone(proxy):
    page = proxy.get("/accounts/login/")

    assert page.status_code == 200
    assert page.headers["Set-Cookie"].startswith("__Host-csrftoken=")
    assert "Secure" in page.headers["Set-Cookie"]
    assert "Strict-Transport-Security" in page.headers


def test_plain_http_is_sent_to_https(proxy):
    answer = proxy.get("/", headers={"X-Forwarded-Proto": "http"})

    assert (answer.status_code, answer.headers["Location"]) == (301, "https://manta.example/")


def test_nobody_is_made_an_admin(served):
    assert "password" not in served.output


def test_static_files_are_served(proxy):
    address = re.search(r'href="(/static/[^"]+\.css)"', proxy.get("/").text)[1]

    assert proxy.get(address).headers["Cache-Control"].endswith("immutable")


@pytest.mark.parametrize("name", ["web", "worker"])
def test_what_is_killed_is_started_again(served, proxy, name):
    (pid,) = served.pids(name)

    os.kill(pid, signal.SIGKILL)

    until(lambda: served.pids(name) not in ([], [pid]))
    assert f"manta: {name}-1 was killed by signal 9; starting it again in" in served.output
    # Whoever asks meanwhile waits; nobody is turned away.
    assert proxy.get("/readyz", timeout=60).json()["database"] == "ok"


class Answer(threading.Thread):
    """A request that has been sent but for its last byte, and what comes back."""

    def __init__(self, port):
        super().__init__()
        self.peer = socket.create_connection(("127.0.0.1", port))
        head = "\r\n".join(f"{name}: {value}" for name, value in AS_THE_PROXY_SAYS.items())
        self.peer.sendall(
            f"POST /accounts/login/ HTTP/1.1\r\n{head}\r\nContent-Length: 2\r\n\r\na".encode()
        )
        self.start()

    def run(self):
        with self.peer:
            self.text = self.peer.recv(65536).decode(errors="replace")


@contextmanager
def another_serving():
    with new_state_dir() as path, Serving(path, **ON_THE_INTERNET) as supervisor:
        yield supervisor.until_ready()


def test_a_request_under_way_is_answered_before_the_end():
    with another_serving() as supervisor:
        answer = Answer(supervisor.port)
        supervisor.process.send_signal(signal.SIGTERM)
        until(lambda: "manta: stopping" in supervisor.output)
        answer.peer.sendall(b"b")
        answer.join()
        status = supervisor.wait()

    assert answer.text.startswith("HTTP/1.1 403")  # it has no CSRF token, and Django says so
    assert (status, "Traceback" in supervisor.output) == (0, False)
