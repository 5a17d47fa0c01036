"""Manta as a team runs it: PostgreSQL, Redis, and two web and two worker processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support.faulty_provider import Provider
from tests.support.local_blaxel import Server
from tests.support.postgres_server import Postgres
from tests.support.redis_server import Redis
from tests.support.supervisor import new_state_dir
from tests.support.team import Team
from tests.support.waiting import wait_until


@pytest.fixture(scope="session")
def blaxel_of_the_team() -> Iterator[Provider]:
    server = Server()
    provider = Provider(server)
    provider.start()
    yield provider
    provider.stop()
    server.clear_away()


@pytest.fixture
def postgres() -> Iterator[Postgres]:
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
    wait_until(lambda: blaxel_of_the_team.server.names() == [], 120)
