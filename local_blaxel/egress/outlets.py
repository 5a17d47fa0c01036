"""Keeps the proxy of every running sandbox answered.

The listening socket is opened by the agent, on the sandbox's own loopback, and passed here; the
agent keeps it open. So a killed server leaves callers waiting in its queue, not refused.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator
from typing import Any

from local_blaxel.egress import indexes, passage
from local_blaxel.egress.passage import Demand, Streams
from local_blaxel.egress.policy import Policy, Refusal, SystemResolver
from local_blaxel.fleet import Fleet
from local_blaxel.launcher import Launcher
from local_blaxel.sandbox import Sandbox

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.2
RETRY_SECONDS = 1.0
CONNECT_SECONDS = 15.0
MAX_CONNECTIONS = 128


class Egress:
    def __init__(self, fleet: Fleet, launcher: Launcher, allowed: str | None) -> None:
        """Set up with LOCAL_BLAXEL_EGRESS_ALLOW as `allowed`, or None when it is not set."""
        self._fleet = fleet
        self._launcher = launcher
        self._allowed = allowed
        self._serving: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Serve each sandbox that runs, until cancelled. Plain processes need no way out."""
        if self._launcher.isolation == "none":
            return
        resolve = SystemResolver()
        allowed = asyncio.create_task(indexes.allow_list(self._allowed, resolve))
        policy = Policy(allowed, resolve)
        try:
            while True:
                for sandbox in self._fleet.sandboxes.values():
                    self._look_at(sandbox, policy)
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            tasks = [allowed, *self._serving.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            resolve.close()

    def _look_at(self, sandbox: Sandbox, policy: Policy) -> None:
        instance = sandbox.row.instance
        if instance is None or instance in self._serving or sandbox.died:
            return
        if sandbox.row.phase == "DEPLOYED":
            task = asyncio.create_task(self._serve(sandbox, instance, policy))
            self._serving[instance] = task
            task.add_done_callback(lambda _: self._serving.pop(instance))

    async def _serve(self, sandbox: Sandbox, instance: str, policy: Policy) -> None:
        """Serve as long as the agent lives: it may be started anew under the same instance."""
        try:
            async with (
                self._launcher.way_out(instance) as (listener, line),
                _Outlet(sandbox, policy).answering(listener),
            ):
                await asyncio.get_running_loop().sock_recv(line, 1)
        except OSError as exc:
            logger.debug("%s has no way out: %s", sandbox.name, exc)
            await asyncio.sleep(RETRY_SECONDS)
        except Exception:
            # A task's outermost frame; the next look tries again.
            logger.exception("%s: its way out failed", sandbox.name)
            await asyncio.sleep(RETRY_SECONDS)


class _Outlet:
    """The proxy of one sandbox."""

    def __init__(self, sandbox: Sandbox, policy: Policy) -> None:
        self._sandbox = sandbox
        self._policy = policy
        self._passages: set[asyncio.Task[Any]] = set()

    @contextlib.asynccontextmanager
    async def answering(self, listener: socket.socket) -> AsyncIterator[None]:
        server = await asyncio.start_server(
            self._accept, sock=listener, limit=passage.MAX_HEAD_LENGTH, backlog=256
        )
        try:
            yield
        finally:
            server.close()
            for task in self._passages:
                task.cancel()
            await asyncio.gather(*self._passages, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._answer(reader, writer))
        self._passages.add(task)
        task.add_done_callback(self._passages.discard)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if len(self._passages) > MAX_CONNECTIONS:
                message = f"A sandbox may have {MAX_CONNECTIONS} connections at once."
                return await passage.refuse(writer, Refusal(503, message))
            await passage.serve((reader, writer), self._dial)
        except OSError:
            pass  # The program inside went away.
        finally:
            writer.transport.abort()

    async def _dial(self, demand: Demand) -> Streams:
        # Read each time, so that an update counts from the next connection on.
        network = self._sandbox.row.record["spec"].get("network") or {}
        addresses = await self._policy.addresses(demand.host, demand.port, network)
        failure = ""
        for address in addresses:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    return await asyncio.open_connection(address, demand.port)
            except OSError as exc:
                failure = exc.strerror or "too late"
        raise Refusal(502, f"{demand.host}:{demand.port} can't be reached: {failure}.")
