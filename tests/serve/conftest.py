"""Manta as a team runs it: PostgreSQL, Redis, and two web and two worker processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.redis import Redis
from tests.local_blaxel.running import KEY, Server, until
from tests.provider import Provider
from tests.scripts.supervisor import ROOT, Serving, new_state_dir
from tests.serve.postgres import Postgres

# Few enough for a queue, also on a fast machine.
STARTS_AT_ONCE = 5


def environ_of_a_team(postgres: Postgres, state_dir: Path) -> dict[str, str]:
    """What any process of Manta needs on this database."""
    return {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "tests.serve.settings",
        "MANTA_STATE_DIR": str(state_dir),
        "MANTA_LOCAL": "true",
        "SECRET_KEY": "of-the-tests-4fQ9vXk2LmZr7TbY6NcWd3HsJp8GuEa5",
        "DATABASE_URL": postgres.url,
        "BLAXEL_WORKSPACE_ID": "manta",
        "BLAXEL_API_KEY": KEY,
    }


class Team(Serving):
    """A `make serve` with everything it stands on, of its own."""

    def __init__(self, state_dir: Path, postgres: Postgres, redis: Redis, blaxel: Provider) -> None:
        self.postgres, self.redis, self.blaxel = postgres, redis, blaxel
        self.environ = {
            **environ_of_a_team(postgres, state_dir),
            "REDIS_URL": redis.url,
            "WEB_CONCURRENCY": "2",
            "WORKER_CONCURRENCY": "2",
            "BLAXEL_API_URL": blaxel.url,
            "SANDBOX_STARTS_AT_ONCE": str(STARTS_AT_ONCE),
            "MANTA_RATE_LIMITS": "false",
        }
        super().__init__(state_dir, **self.environ)

    def make_people(self, count: int) -> None:
        command = [sys.executable, "-m", "tests.serve.people", str(count)]
        subprocess.run(command, cwd=ROOT, env=self.environ, check=True)


@pytest.fixture(scope="session")
def asked_for() -> None:
    if not os.environ.get("MANTA_TEST_SERVE"):
        pytest.skip("It takes minutes: .ci/run does it, and MANTA_TEST_SERVE=1.")


@pytest.fixture(scope="session")
def blaxel_of_the_team(asked_for: None) -> Iterator[Provider]:
    server = Server()
    provider = Provider(server)
    provider.start()
    yield provider
    provider.stop()
    server.clear_away()


@pytest.fixture
def postgres(asked_for: None) -> Iterator[Postgres]:
    with Postgres() as postgres:
        yield postgres


@pytest.fixture
def team(postgres: Postgres, blaxel_of_the_team: Provider) -> Iterator[Team]:
    with ExitStack() as stack:
        redis = stack.enter_context(Redis())
        state_dir = stack.enter_context(new_state_dir())
        team = stack.enter_context(Team(state_dir, postgres, redis, blaxel_of_the_team))
        yield team.until_ready()
    blaxel_of_the_team.reset()
    for name in blaxel_of_the_team.server.names():
        blaxel_of_the_team.server.http.delete(f"/v0/sandboxes/{name}")
    until(lambda: blaxel_of_the_team.server.names() == [], 120)
