import asyncio
import os
import re
import shutil
import signal
import socket
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from scripts import run
from tests.support.prepared_state import copy_static_files
from tests.support.supervisor import Supervisor, new_state_dir

# Three, and what a machine takes that has other work. The half-sent form alone would hold up the
# stop for ever.
STOP_SECONDS = 20
HALF_A_FORM = (
    b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\nlogin"
)


@pytest.fixture(scope="module")
def state_dir():
    with new_state_dir() as path:
        copy_static_files(path)
        yield path


@dataclass(frozen=True)
class FirstStart:
    url: str
    page: httpx.Response
    status: int
    seconds: float
    output: str


@pytest.fixture(scope="module")
def first_start(state_dir):
    """A first start, stopped with Ctrl-C while a page and a half-sent form are open."""
    with ExitStack() as stack:
        supervisor = stack.enter_context(Supervisor(state_dir)).until_ready()
        browser = stack.enter_context(httpx.Client(base_url=supervisor.url))
        page = browser.get("/")
        address = ("127.0.0.1", supervisor.port)
        stack.enter_context(socket.create_connection(address)).sendall(HALF_A_FORM)
        status, seconds = supervisor.stop()
    return FirstStart(supervisor.url, page, status, seconds, supervisor.output)


@pytest.fixture(scope="module")
def start_again(first_start, state_dir):
    """Starts on copies of what the first start has left."""
    with ExitStack() as stack:

        def start(**environ: str) -> Supervisor:
            copy = stack.enter_context(new_state_dir())
            shutil.copytree(state_dir, copy, symlinks=True, dirs_exist_ok=True)
            return stack.enter_context(Supervisor(copy, **environ)).until_ready()

        yield start


@pytest.fixture(scope="module")
def running(start_again):
    return start_again(LOCAL_BLAXEL_API_KEY="a-key-of-ours", SECRET_KEY="a-secret-of-mantas")


def refused(**environ: str) -> tuple[int, str]:
    with new_state_dir() as path, Supervisor(path, **environ) as supervisor:
        return supervisor.wait(), supervisor.output


def exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def environ_of(pid: int) -> str:
    return Path(f"/proc/{pid}/environ").read_text()


def test_a_start_says_where_it_is_and_how_sandboxes_are_isolated(first_start):
    assert f"Manta is running at  {first_start.url}\n" in first_start.output
    assert re.search(r"^  Sandboxes +local, none", first_start.output, re.MULTILINE)


def test_the_address_that_is_printed_answers(first_start):
    assert first_start.page.status_code == 200


def test_ctrl_c_stops_everything_whatever_is_open(first_start):
    assert first_start.seconds < STOP_SECONDS
    assert first_start.status == 0
    assert "Traceback" not in first_start.output
    assert "ERROR" not in first_start.output


def test_no_process_is_waited_for_longer_than_three_seconds():
    waits = []

    class Stubborn:
        def __init__(self, name):
            self.name = name

        async def stop(self, seconds):
            waits.append(seconds)

    asyncio.run(run.stop([Stubborn(name) for name in ("local_blaxel", "worker", "web")]))

    assert len(waits) == 3
    assert max(waits) < 3


def test_what_is_kept_is_for_its_owner_alone(first_start, state_dir):
    assert state_dir.stat().st_mode & 0o777 == 0o700
    assert (state_dir / "secret-key").stat().st_mode & 0o777 == 0o600


def test_the_first_admins_password_signs_in(first_start, running):
    password = re.search(r"admin@localhost, password (\S+)", first_start.output)[1]
    with httpx.Client(base_url=running.url) as browser:
        browser.get("/accounts/login/")
        form = {"login": "admin@localhost", "password": password}
        form["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]

        answer = browser.post("/accounts/login/", data=form)

    assert answer.status_code == 302
    assert "sessionid" in answer.cookies


@pytest.mark.exhaustive
def test_the_password_is_printed_only_once(running):
    assert "password" not in running.output


def test_a_second_start_on_the_same_state_is_refused_in_one_line(running):
    with Supervisor(running.state_dir) as second:
        assert second.wait() == 1
    assert second.output.splitlines() == [
        f"manta: Manta is running already on {running.state_dir}."
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_local_blaxel_and_manta_see_nothing_of_each_others_variables(running):
    of = {name: environ_of(pid) for name, pid in running.children().items()}

    assert "BLAXEL_API_KEY=a-key-of-ours" in of["web"]
    assert "LOCAL_BLAXEL_" not in of["web"] + of["worker"]
    assert "a-secret-of-mantas" in of["web"]
    assert "a-secret-of-mantas" not in of["local_blaxel"]


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["worker", "web", "local_blaxel"])
def test_when_one_process_is_killed_the_others_stop(start_again, name):
    supervisor = start_again()
    children = supervisor.children()

    os.kill(children[name], signal.SIGKILL)

    assert supervisor.wait() == 1
    assert f"manta: {name} was killed by signal 9, so the others stop." in supervisor.output
    assert [name for name, pid in children.items() if exists(pid)] == []


@pytest.mark.exhaustive
def test_several_web_processes_answer_at_one_address_and_end_together(start_again):
    supervisor = start_again(WEB_CONCURRENCY="2")
    webs = supervisor.pids("web")
    page = httpx.get(f"{supervisor.url}/accounts/login/")

    status, _ = supervisor.stop()

    assert (len(webs), page.status_code, status) == (2, 200, 0)
    assert [pid for pid in webs if exists(pid)] == []


def test_with_both_blaxel_variables_only_web_and_worker_start(start_again):
    with socket.create_server(("127.0.0.1", 0)) as silent_provider:
        address = f"http://127.0.0.1:{silent_provider.getsockname()[1]}/v0"
        cloud = {"BLAXEL_WORKSPACE_ID": "a", "BLAXEL_API_KEY": "b", "BLAXEL_API_URL": address}
        supervisor = start_again(**cloud)
        names = supervisor.children().keys()
        silent_provider.settimeout(30)
        with silent_provider.accept()[0]:  # the worker asks, and gets no answer
            status, seconds = supervisor.stop(signal.SIGTERM)

    assert names == {"web", "worker"}
    assert (status, "Traceback" in supervisor.output) == (0, False)
    assert seconds < STOP_SECONDS


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("given", "missing"),
    [("BLAXEL_WORKSPACE_ID", "BLAXEL_API_KEY"), ("BLAXEL_API_KEY", "BLAXEL_WORKSPACE_ID")],
)
def test_with_one_blaxel_variable_the_other_is_asked_for(given, missing):
    status, output = refused(**{given: "something"})

    assert status == 1
    assert f"{missing} is not set" in output
    assert "Traceback" not in output


@pytest.mark.parametrize("variable", ["PORT", "LOCAL_BLAXEL_PORT"])
def test_a_port_in_use_is_named_in_one_line(variable):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        status, output = refused(**{variable: str(port)})

    assert status == 1
    assert output == f"manta: Port {port} is in use: set {variable} to another one.\n"


@pytest.mark.parametrize(
    ("port", "message"),
    [
        ("eighty", "PORT must be a number of at least 1, not 'eighty'."),
        ("80000", "PORT must be a port, not 80000."),
    ],
)
def test_what_is_no_port_is_named_in_one_line(port, message):
    status, output = refused(PORT=port)

    assert status == 1
    assert output == f"manta: {message}\n"
