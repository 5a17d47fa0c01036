"""`make serve`: Manta for a team, behind a reverse proxy: web and worker processes, without Docker.

WEB_CONCURRENCY and WORKER_CONCURRENCY say how many; 0 is for a machine without any of the kind.
A process that ends by itself is started again. SIGTERM and Ctrl-C let requests that are under way
end, and stop everything.
"""

import signal

if __name__ == "__main__":
    # Before the other imports: Ctrl-C among them would show a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import asyncio
import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from manta.core import env
from scripts.child import Child, StartError, http_get, say
from scripts.processes import (
    ROOT,
    UVICORN,
    WORKER,
    bound,
    prepare,
    state_of_its_own,
    until_at_work,
    until_stopped,
)

# Seconds. A process that ran for STEADY before it ended doesn't have to wait for longer.
STEADY = 60.0
FIRST_WAIT, MAX_WAIT = 0.25, 30.0
# How long requests that are under way may take at the end, and how long everything may.
DRAIN = 10
STOP_WEB, STOP_WORKER = DRAIN + 2.0, 5.0


@dataclass(frozen=True)
class Plan:
    host: str
    port: int
    web: int
    workers: int
    state_dir: Path

    @classmethod
    def read(cls) -> "Plan":
        return cls(
            host=env.text("HOST") or "127.0.0.1",
            port=env.number("PORT", 8000, minimum=1),
            web=env.number("WEB_CONCURRENCY", 1),
            workers=env.number("WORKER_CONCURRENCY", 1),
            state_dir=Path(env.text("MANTA_STATE_DIR") or ROOT / ".manta").resolve(),
        )

    @property
    def names(self) -> list[str]:
        web = [f"web-{number}" for number in range(1, self.web + 1)]
        return [*web, *(f"worker-{number}" for number in range(1, self.workers + 1))]


def main() -> int:
    try:
        env.load_dotenv(ROOT / ".env")
        plan = Plan.read()
        if not plan.names:
            raise StartError("WEB_CONCURRENCY and WORKER_CONCURRENCY are both 0.")
        address = bound(plan.host, plan.port) if plan.web else socket.socket()
        with address, state_of_its_own(plan.state_dir):
            asyncio.run(Serving(plan, address).run())
    except (StartError, ImproperlyConfigured) as exc:
        say(f"manta: {exc}")
        return 1
    return 0


class Serving:
    """The processes, by name. All web processes accept from one socket, which outlives each."""

    def __init__(self, plan: Plan, address: socket.socket) -> None:
        self._plan = plan
        self._address = address
        self._environ = {**os.environ, "DO_NOT_TRACK": "1", "MANTA_STATE_DIR": str(plan.state_dir)}
        self._children: dict[str, Child] = {}

    async def run(self) -> None:
        await until_stopped(self._serve(), self._stop)

    async def _serve(self) -> None:
        await prepare("serve", self._environ)
        started = [await self._start(name) for name in self._plan.names]
        await asyncio.gather(*(self._until_ready(child) for child in started))
        where = f" at {self._plan.host}:{self._plan.port}" if self._plan.web else ""
        say(f"Manta is served{where} by {', '.join(self._children)}")
        await asyncio.gather(*(self._keep(name) for name in self._plan.names))

    async def _start(self, name: str) -> Child:
        fds = []
        if name.startswith("worker"):
            command = list(WORKER)
        else:
            fds = [self._address.fileno()]
            command = [*UVICORN, "--fd", str(fds[0]), "--timeout-graceful-shutdown", str(DRAIN)]
        self._children[name] = child = await Child.start(
            name, *command, environ=self._environ, pass_fds=fds, quiet_start=False
        )
        return child

    async def _until_ready(self, child: Child) -> None:
        if child.name.startswith("worker"):
            await until_at_work(child)
        else:
            await child.until(lambda: http_get(self._plan.port, "/healthz", self._plan.host))

    async def _keep(self, name: str) -> None:
        """Start it again whenever it ends; later each time when it doesn't last."""
        now, wait = asyncio.get_running_loop().time, FIRST_WAIT
        while True:
            started = now()
            await asyncio.wait({self._children[name].ended})
            if now() - started > STEADY:
                wait = FIRST_WAIT
            say(f"manta: {self._children[name].fate()}; starting it again in {wait:g} s.")
            await asyncio.sleep(wait)
            wait = min(2 * wait, MAX_WAIT)
            await self._start(name)

    async def _stop(self) -> None:
        """Stop web first, so that no request needs what has gone."""
        self._address.close()
        for kind, seconds in (("web", STOP_WEB), ("worker", STOP_WORKER)):
            of_kind = [c for name, c in self._children.items() if name.startswith(kind)]
            await asyncio.gather(*(child.stop(seconds) for child in of_kind))


if __name__ == "__main__":
    sys.exit(main())
