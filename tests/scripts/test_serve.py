"""`make serve`, as far as it needs nothing but this machine; tests/serve has the rest."""

import os
import re
import signal
import socket
import sqlite3
from contextlib import closing

import httpx
import pytest

from tests.support.prepared_state import copy_static_files
from tests.support.supervisor import Serving, new_state_dir
from tests.support.waiting import wait_until

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
    with new_state_dir() as path:
        copy_static_files(path)
        with Serving(path, **ON_THE_INTERNET) as supervisor:
            yield supervisor.until_ready()


@pytest.fixture
def served_before(served):
    """The state directory of another one: its database has tables, its static files are there."""
    with new_state_dir() as path:
        copy_static_files(path)
        database = "manta.sqlite3"
        with (
            closing(sqlite3.connect(served.state_dir / database)) as there,
            closing(sqlite3.connect(path / database)) as here,
        ):
            there.backup(here)
        yield path


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

    status, output = refused(**unset, WORKER_CONCURRENCY="2")

    assert status == 1
    assert "Traceback" not in output
    found = re.findall(r"^- .*?([A-Z]+_[A-Z_]+|provider)", output, re.MULTILINE)
    assert found == [
        "SECRET_KEY",
        "WORKER_CONCURRENCY",
        "ALLOWED_HOSTS",
        "provider",
        "TRUSTED_PROXY_COUNT",
    ]
    assert "Set DATABASE_URL=postgres://" in output


def test_a_weak_secret_key_is_refused():
    status, output = refused(**ON_THE_INTERNET | {"SECRET_KEY": "secret"})

    assert (status, "- Your SECRET_KEY" in output) == (1, True)


@pytest.mark.exhaustive
def test_a_machine_can_have_workers_alone(served_before):
    with socket.create_server(("127.0.0.1", 0)) as others:
        port = str(others.getsockname()[1])
        with Serving(served_before, PORT=port, WEB_CONCURRENCY="0") as supervisor:
            supervisor.until_ready()
            assert (len(supervisor.pids("web")), len(supervisor.pids("worker"))) == (0, 1)


def test_a_machine_with_neither_has_nothing_to_do():
    status, output = refused(WEB_CONCURRENCY="0", WORKER_CONCURRENCY="0")

    assert status == 1
    assert output == "manta: WEB_CONCURRENCY and WORKER_CONCURRENCY are both 0.\n"


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


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["web", "worker"])
def test_what_is_killed_is_started_again(served, proxy, name):
    (pid,) = served.pids(name)

    os.kill(pid, signal.SIGKILL)

    wait_until(lambda: served.pids(name) not in ([], [pid]))
    assert f"manta: {name}-1 was killed by signal 9; starting it again in" in served.output
    # Whoever asks meanwhile waits; nobody is turned away.
    assert proxy.get("/readyz", timeout=60).json()["database"] == "ok"


@pytest.mark.exhaustive
def test_a_request_under_way_is_answered_before_the_end(served_before):
    headers = AS_THE_PROXY_SAYS | {"Content-Length": "2", "Expect": "100-continue"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with Serving(served_before, **ON_THE_INTERNET) as supervisor:
        supervisor.until_ready()
        with socket.create_connection(("127.0.0.1", supervisor.port)) as peer:
            peer.sendall(f"POST /accounts/login/ HTTP/1.1\r\n{lines}\r\n".encode())
            waits_for_the_body = peer.recv(65536)
            supervisor.process.send_signal(signal.SIGTERM)
            wait_until(lambda: "manta: stopping" in supervisor.output)
            peer.sendall(b"ab")
            answer = peer.recv(65536)
        status = supervisor.wait()

    assert waits_for_the_body.startswith(b"HTTP/1.1 100 ")
    assert answer.startswith(b"HTTP/1.1 403 ")  # without a CSRF token, says Django
    assert (status, "Traceback" in supervisor.output) == (0, False)
