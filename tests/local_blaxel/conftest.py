"""Real sandboxes for the tests: one shared where a test leaves it as it was, else one each."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from local_blaxel.launcher import Launcher, LaunchError
from tests.support.launcher_host import (
    AS_ORDINARY_USER,
    ORDINARY_UID,
    USERS,
    Agent,
    Host,
    ordinary_python,
    spec,
)
from tests.support.local_blaxel import (  # noqa: F401 - fixtures
    any_server,
    async_box,
    name,
    ordinary_server,
    own_server,
    registryless_server,
    sdk,
    second_server,
    server,
)
from tests.support.prepared_state import link_runtime
from tests.support.sdk_classes import either, generated, sandboxes  # noqa: F401 - fixtures


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak-minutes", type=float, default=0.0, help="let the soak test go on")


@pytest.fixture(scope="session")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    """The launcher of this test run, as whoever runs it; skips where namespaces are refused."""
    folder = tmp_path_factory.mktemp("lb")
    link_runtime(folder)
    try:
        launcher = Launcher(folder, pool_size=1)
    except LaunchError as exc:
        pytest.skip(str(exc))
    yield launcher
    for instance in launcher.instances():
        asyncio.run(launcher.stop(instance))
    asyncio.run(launcher.close())


@pytest.fixture(scope="session")
def shared_instance(launcher: Launcher) -> str:
    return asyncio.run(launcher.start(spec("shared", {"CANARY": "from the spec"})))


@pytest.fixture
def agent(launcher: Launcher, shared_instance: str) -> Iterator[Agent]:
    """The agent of the shared sandbox; the test works in a directory of its own."""
    with Agent(launcher.agent_socket(shared_instance)) as agent:
        yield agent


@pytest.fixture
def folder(agent: Agent) -> str:
    """An empty directory inside the shared sandbox."""
    path: str = agent.run("mktemp -d /blaxel/test-XXXXXX").output.strip()
    return path


@pytest.fixture
async def instance(launcher: Launcher) -> AsyncIterator[str]:
    """A sandbox for one test."""
    instance = await launcher.start(spec("own"))
    yield instance
    await launcher.stop(instance)


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    return tmp_path / "lb"


@pytest.fixture(scope="session", params=USERS)
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    """A launcher in another process, run by the user of the tests or by an ordinary one.

    For what depends on the user: confinement, limits, and how a launcher freezes.
    """
    is_ordinary = request.param == AS_ORDINARY_USER
    if is_ordinary and os.geteuid() != 0:
        pytest.skip("the tests run as an ordinary user already")
    python, uid = (ordinary_python(), ORDINARY_UID) if is_ordinary else (sys.executable, None)
    with tempfile.TemporaryDirectory(prefix="manta-host-") as state_dir:
        if not is_ordinary:
            link_runtime(Path(state_dir))
        with Host(Path(state_dir), python=python, uid=uid) as host:
            yield host


@pytest.fixture(scope="session")
def attacker(host: Host) -> Iterator[Agent]:
    """Somebody inside a sandbox of that host who tries to get out."""
    instance = host.call("start", "attacker")
    with Agent(Path(host.call("agent_socket", instance))) as agent:
        yield agent
    host.call("stop", instance)
