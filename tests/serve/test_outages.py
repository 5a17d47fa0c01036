"""What a team's Manta stands on goes away, and comes back; nobody touches Manta meanwhile."""

import signal
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest

from tests.support.team import Team
from tests.support.visitor import Visitor
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.team, pytest.mark.timeout(300)]
# More than there are threads, each with a database connection of its own.
EVERY_THREAD = 2 * 8 * 2


@pytest.fixture
def resident(team: Team) -> Iterator[Visitor]:
    with Visitor(team.url) as visitor:
        visitor.sign_up()
        visitor.until_ready()
        yield visitor


def readiness(team: Team) -> int:
    """What a load balancer reads."""
    with suppress(httpx.TransportError):
        return httpx.get(f"{team.url}/readyz", trust_env=False, timeout=60).status_code
    return 0


def newcomer_gets_a_sandbox(team: Team) -> str:
    with Visitor(team.url) as newcomer:
        newcomer.sign_up()
        return newcomer.until_ready()


def test_sign_ins_go_on_without_redis_and_it_is_used_again_when_it_is_back(
    team: Team, resident: Visitor
):
    team.redis.kill()
    wait_until(lambda: readiness(team) == 503)

    assert resident.sign_in().status_code == 302
    assert newcomer_gets_a_sandbox(team)

    team.redis.start()
    wait_until(lambda: readiness(team) == 200)
    assert newcomer_gets_a_sandbox(team)
    assert "Traceback" not in team.output


def test_after_a_restart_of_postgresql_no_sign_in_meets_an_old_connection(
    team: Team, resident: Visitor
):
    [resident.panel() for _ in range(EVERY_THREAD)]

    team.postgres.end_by(signal.SIGINT)
    assert readiness(team) == 503
    assert httpx.get(f"{team.url}/healthz", trust_env=False).status_code == 200
    team.postgres.start()

    pages = [resident.http.get("/sandbox/panel/").status_code for _ in range(EVERY_THREAD)]
    assert set(pages) == {200}
    assert resident.sign_in().status_code == 302
    assert newcomer_gets_a_sandbox(team)
