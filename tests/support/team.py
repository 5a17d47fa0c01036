"""`make serve` as a team runs it: PostgreSQL, Redis, two web and two worker processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.faulty_provider import Provider
from tests.support.local_blaxel import KEY
from tests.support.postgres_server import Postgres
from tests.support.redis_server import Redis
from tests.support.supervisor import ROOT, Serving

# Few enough for a queue, also on a fast machine.
STARTS_AT_ONCE = 5


def environ_of_a_team(postgres: Postgres, state_dir: Path) -> dict[str, str]:
    """What any process of Manta needs on this database."""
    return {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "tests.support.running_settings",
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
        command = [sys.executable, "-m", "tests.support.make_accounts", str(count)]
        subprocess.run(command, cwd=ROOT, env=self.environ, check=True)
