"""Waits of people while the provider or Redis hangs, beside the same while they answer."""

import shutil
import signal
from collections.abc import Callable

from bench.installation import SETTINGS
from bench.report import Group, Table
from bench.timing import ratio, repeated, spread, table
from tests.support.manta_process import Parts
from tests.support.prepared_state import prepare
from tests.support.redis_server import Redis
from tests.support.supervisor import new_state_dir
from tests.support.visitor import Visitor

TIMES = 25


def measure() -> list[Table]:
    rows = []
    with new_state_dir() as state_dir:
        prepare(state_dir)
        parts = Parts(state_dir)
        parts.extra = {"DJANGO_SETTINGS_MODULE": SETTINGS}
        with parts, Visitor(parts.url) as visitor:
            visitor.sign_up()
            visitor.until_ready()
            rows += _without_the_provider(parts, visitor)
            if shutil.which("redis-server"):
                rows += _without_redis(parts, visitor)
    return [table(*rows)]


def _without_the_provider(parts: Parts, visitor: Visitor) -> list[tuple[str, ...]]:
    actions = {"Panel": visitor.panel, "Sign-in": visitor.sign_in}
    return _rows(
        actions,
        "while the provider hangs",
        lambda: parts.signal("local_blaxel", signal.SIGSTOP),
        lambda: parts.signal("local_blaxel", signal.SIGCONT),
    )


def _without_redis(parts: Parts, visitor: Visitor) -> list[tuple[str, ...]]:
    with Redis() as redis:
        parts.restart("web", "worker", **parts.extra, REDIS_URL=redis.url)
        return _rows(
            {"Sign-in": visitor.sign_in},
            "while Redis hangs",
            lambda: redis.process.send_signal(signal.SIGSTOP),
            lambda: redis.process.send_signal(signal.SIGCONT),
        )


def _rows(
    actions: dict[str, Callable[[], object]],
    when: str,
    hang: Callable[[], None],
    go_on: Callable[[], None],
) -> list[tuple[str, ...]]:
    usual = {name: repeated(action, TIMES) for name, action in actions.items()}
    hang()
    try:
        taken = {name: repeated(action, TIMES) for name, action in actions.items()}
    finally:
        go_on()
    return [
        spread(
            f"{name} {when}",
            taken[name],
            beside=ratio(taken[name], usual[name], "while it answers"),
        )
        for name in actions
    ]


GROUP = Group("Outages", measure)
