"""500 open panels with live updates: what they weigh and use, and how soon a change reaches them.

Web alone, on SQLite: no worker and no provider runs, and the rows are changed behind its back.
"""

import asyncio
import json
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.processes import Weight, cpu_seconds
from bench.report import Group, Table
from bench.timing import spread, table
from tests.support.supervisor import free_port
from tests.support.waiting import wait_until

PANELS = 500
IDLE_SECONDS = 8.0
TIMES = 10
# How often every sandbox changes at once.
ROUNDS = 3
# Longer than two looks, so that none is measured that was under way.
PAUSE = 1.2
LATER = datetime(2999, 1, 1, tzinfo=UTC)


@dataclass
class Panel:
    """A page as far as the server sees it."""

    port: int
    cookie: str
    heard: list[float] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)

    # Whether it then asks for the new panel, as a page does.
    asks: bool = False

    async def listen(self) -> None:
        reader, _ = await self._get("/live/sandbox")
        async for line in reader:
            if line.startswith(b"event: state"):
                self.heard.append(time.perf_counter())
                if self.asks:
                    await self._ask()

    async def _ask(self) -> None:
        reader, writer = await self._get("/sandbox/panel/?v=old", "Connection: close")
        head = await reader.read()
        assert head.startswith(b"HTTP/1.1 200"), head[:200]
        self.shown.append(time.perf_counter())
        writer.close()

    async def _get(
        self, path: str, *headers: str
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        own = (f"Host: localhost:{self.port}", f"Cookie: sessionid={self.cookie}")
        head = [f"GET {path} HTTP/1.1", *own, "HX-Request: true", *headers, "", ""]
        writer.write("\r\n".join(head).encode())
        return reader, writer


@dataclass(frozen=True)
class Web:
    pid: int
    port: int
    database: Path
    cookies: list[str]

    def change(self, where: str = "") -> float:
        """Let sandboxes fall asleep or wake; when that could be seen."""
        other = "CASE provider_state WHEN 'STANDBY' THEN 'RUNNING' ELSE 'STANDBY' END"
        with closing(sqlite3.connect(self.database, timeout=20)) as database, database:
            database.execute(f"UPDATE sandboxes_sandbox SET provider_state = {other} {where}")
        return time.perf_counter()


def measure() -> list[Table]:
    with _web() as web:
        return asyncio.run(_measured(web))


async def _measured(web: Web) -> list[Table]:
    first = Panel(web.port, web.cookies[0])
    listening = [asyncio.create_task(first.listen())]
    await _until(lambda: first.heard)
    one, weight = await _share_of_a_core(web), Weight.of(web.pid)
    panels = [first, *(Panel(web.port, cookie) for cookie in web.cookies[1:])]
    started = time.perf_counter()
    listening += [asyncio.create_task(panel.listen()) for panel in panels[1:]]
    await _until(lambda: all(panel.heard for panel in panels))
    opened = time.perf_counter() - started
    await asyncio.sleep(PAUSE)
    each = 1024 * (Weight.of(web.pid).uss - weight.uss) / (PANELS - 1)
    all_idle = await _share_of_a_core(web)
    costs = Table(
        (f"{PANELS} open panels", ""),
        [
            ("Memory of one, in web", f"{each:.0f} KiB"),
            ("All opened within", f"{opened:.1f} s"),
            (f"Of one core, over {IDLE_SECONDS:.0f} s, nothing changes", f"{all_idle:.1%}"),
            ("The same, with one open panel", f"{one:.1%}"),
        ],
    )
    delays = table(
        spread("One changes → its page is told", await _delays_of_one(web, panels)),
        *await _delays_of_all(web, panels),
    )
    for task in listening:
        task.cancel()
    return [costs, delays]


async def _delays_of_one(web: Web, panels: list[Panel]) -> list[float]:
    taken = []
    for panel, number in zip(panels, range(TIMES), strict=False):
        # At any moment of the half second between two looks.
        await asyncio.sleep(PAUSE + 0.5 * number / TIMES)
        before = len(panel.heard)
        changed = web.change(f"WHERE name = 'panel-{number}'")
        await _until(lambda panel=panel, before=before: len(panel.heard) > before)
        taken.append(1000 * (panel.heard[-1] - changed))
    return taken


async def _delays_of_all(web: Web, panels: list[Panel]) -> list[tuple[str, ...]]:
    """The same change of every sandbox at once: more than ever happens."""
    told, shown = [], []
    for number in range(ROUNDS):
        await asyncio.sleep(PAUSE + 0.5 * number / ROUNDS)
        wanted = [len(panel.heard) + 1 for panel in panels]
        changed = web.change()
        await _until(lambda wanted=wanted: _at_least(panels, "heard", wanted))
        told += [1000 * (panel.heard[-1] - changed) for panel in panels]
    for panel in panels:
        panel.asks = True
    for number in range(ROUNDS):
        await asyncio.sleep(PAUSE + 0.5 * number / ROUNDS)
        wanted = [len(panel.shown) + 1 for panel in panels]
        changed = web.change()
        await _until(lambda wanted=wanted: _at_least(panels, "shown", wanted))
        shown += [1000 * (panel.shown[-1] - changed) for panel in panels]
    return [
        spread("All change → a page is told", told, beside=f"slowest {max(told):.0f} ms"),
        spread("All change → a page shows it", shown, beside=f"slowest {max(shown):.0f} ms"),
    ]


def _at_least(panels: list[Panel], what: str, wanted: list[int]) -> bool:
    return all(len(getattr(panel, what)) >= n for panel, n in zip(panels, wanted, strict=True))


async def _share_of_a_core(web: Web) -> float:
    before = cpu_seconds([web.pid])
    await asyncio.sleep(IDLE_SECONDS)
    return (cpu_seconds([web.pid]) - before) / IDLE_SECONDS


async def _until(condition: Callable[[], object], seconds: float = 120) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


@contextmanager
def _web() -> Iterator[Web]:
    with tempfile.TemporaryDirectory(prefix="manta-bench-") as folder:
        database = Path(folder) / "manta.sqlite3"
        environ = {
            **os.environ,
            "DATABASE_URL": f"sqlite:///{database}",
            "MANTA_STATE_DIR": folder,
            "SECRET_KEY": "of-the-bench",
            "MANTA_LOCAL": "true",
            "BLAXEL_WORKSPACE_ID": "manta",
            "BLAXEL_API_KEY": "of-the-bench",
            "REDIS_URL": "",
            "DJANGO_SETTINGS_MODULE": "manta.settings",
        }
        prepare = [sys.executable, "-m", "scripts.prepare", "run"]
        subprocess.run(prepare, env=environ, stdout=subprocess.DEVNULL, check=True)
        filled = subprocess.run(
            [sys.executable, "-m", "bench.panels"], env=environ, stdout=subprocess.PIPE, check=True
        )
        port = free_port()
        command = [sys.executable, "-m", "uvicorn", "manta.asgi:application", "--no-access-log"]
        quiet = ["--log-level", "warning", "--port", str(port)]
        process = subprocess.Popen([*command, *quiet], env=environ)
        try:
            wait_until(lambda: _listens(port), 120)
            yield Web(process.pid, port, database, json.loads(filled.stdout))
        finally:
            process.terminate()
            process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _fill() -> list[str]:
    """Users with a sandbox each, signed in: their session keys."""
    import django

    django.setup()
    from django.db import transaction
    from django.test import Client
    from django.utils import timezone

    from accounts.models import User
    from sandboxes.models import Heartbeat, Sandbox

    cookies = []
    Heartbeat.objects.bulk_create(
        Heartbeat(subject=subject, ok_at=LATER) for subject in Heartbeat.Subject
    )
    with transaction.atomic():
        for number in range(PANELS):
            user = User.objects.create_user(f"{number}@example.com")
            user.sandbox = Sandbox.objects.create(
                **{"name": f"panel-{number}", "owner": user, "image": "blaxel/prod-base:latest"},
                **{"memory_mb": 4096, "ttl": timedelta(hours=24), "phase": "ready"},
                **{"provider_status": "DEPLOYED", "provider_state": "RUNNING", "step": "opening"},
                checked_at=timezone.now(),
                used_at=timezone.now(),
            )
            user.save()
            client = Client()
            client.force_login(user)
            cookies.append(client.cookies["sessionid"].value)
    return cookies


GROUP = Group("Open panels", measure)

if __name__ == "__main__":
    print(json.dumps(_fill()))
