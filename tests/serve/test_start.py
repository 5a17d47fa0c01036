"""Machines of one team that are started together."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.postgres_server import Postgres
from tests.support.supervisor import ROOT, new_state_dir
from tests.support.team import environ_of_a_team

pytestmark = pytest.mark.team


def prepare(postgres: Postgres, state_dir: Path) -> "subprocess.Popen[bytes]":
    """What `make serve` does first."""
    command = [sys.executable, "-m", "scripts.prepare", "serve"]
    return subprocess.Popen(command, cwd=ROOT, env=environ_of_a_team(postgres, state_dir))


@pytest.mark.timeout(600)
def test_machines_that_start_together_on_a_new_database_migrate_it_once(postgres: Postgres):
    with ExitStack() as stack:
        states = [stack.enter_context(new_state_dir()) for _ in range(3)]
        machines = [stack.enter_context(prepare(postgres, state)) for state in states]
        statuses = [machine.wait() for machine in machines]

    assert statuses == [0, 0, 0]
    applied = postgres.ask("SELECT count(*), count(DISTINCT (app, name)) FROM django_migrations")
    assert applied[0][0] == applied[0][1] > 0
