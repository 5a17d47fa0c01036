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
from tests.local_blaxel.running import KEY, Server
from tests.provider import Provider
from tests.scripts.supervisor import ROOT, Serving, new_state_dir
from tests.serve.postgres import Postgres


class Team(Serving):
    """A `make serve` with everything it stands on, of its own."""

    def __init__(self, state_dir: Path, postgres: Postgres, redis: Redis, blaxel: Provider) -> None:
        self.postgres, self.redis, self.blaxel = postgres, redis, blaxel
        self.environ = {
            "DJANGO_SETTINGS_MODULE": "tests.serve.settings",
            "DATABASE_URL": postgres.url,
            "REDIS_URL": redis.url,
            "WEB_CONCURRENCY": "2",
            "WORKER_CONCURRENCY": "2",
            "BLAXEL_API_URL": blaxel.url,
            "BLAXEL_API_KEY": KEY,
            "MANTA_RATE_LIMITS": "false",
        }
        super().__init__(state_dir, **self.environ)

    def make_people(self, count: int) -> None:
        own = {
            "PATH": os.environ["PATH"],
            "SECRET_KEY": "x",
            "MANTA_STATE_DIR": str(self.state_dir),
        }
        command = [sys.executable, "-m", "tests.serve.people", str(count)]
        subprocess.run(command, cwd=ROOT, env=own | self.environ, check=True)


@pytest.fixture(scope="session")
def blaxel_of_the_team() -> Iterator[Provider]:
    if not os.environ.get("MANTA_TEST_SERVE"):
        pytest.skip("It takes minutes: .ci/run does it, and MANTA_TEST_SERVE=1.")
    server = Server()
    provider = Provider(server)
    provider.start()
    yield provider
    provider.stop()
    server.clear_away()


@pytest.fixture
def team(blaxel_of_the_team: Provider) -> Iterator[Team]:
    with ExitStack() as stack:
        postgres, redis = stack.enter_context(Postgres()), stack.enter_context(Redis())
        state_dir = stack.enter_context(new_state_dir())
        team = stack.enter_context(Team(state_dir, postgres, redis, blaxel_of_the_team))
        yield team.until_ready()
    blaxel_of_the_team.reset()
    blaxel_of_the_team.delete_all()
