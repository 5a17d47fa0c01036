"""The launcher's own line to the agent: one JSON object a line, one answer each.

Its socket lies outside of the sandbox and is no part of the HTTP API, so neither the sandbox's
processes nor its clients can reach it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from typing import Any

from . import limits, network
from .freezer import Freezer
from .processes import Command, ProcessTable
from .sandbox import Disk, Sandbox
from .wire import ApiError

MAX_REQUEST = 4 * 2**20
SERVICE_SECONDS = 15.0


class Control:
    def __init__(
        self, sandbox: Sandbox, table: ProcessTable, way_out: socket.socket | None
    ) -> None:
        self._sandbox = sandbox
        self._table = table
        self._way_out = way_out
        self._freezer = Freezer(is_isolated=sandbox.is_isolated)
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, listener: socket.socket) -> None:
        listener.setblocking(False)
        while True:
            connection, _ = await asyncio.get_running_loop().sock_accept(listener)
            task = asyncio.create_task(self._answer(connection))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, connection: socket.socket) -> None:
        with connection:
            try:
                request = json.loads(await _read_line(connection))
                answer = await self._perform(request)
            except ConnectionRefusedError as exc:
                answer = {"refused": str(exc)}
            except (OSError, ValueError, KeyError) as exc:
                answer = {"error": f"{type(exc).__name__}: {exc}"}
            await self._send(connection, answer)
            # Held until the launcher hangs up: that is how it notices that we are gone.
            with contextlib.suppress(OSError):
                await asyncio.get_running_loop().sock_recv(connection, 1)

    async def _send(self, connection: socket.socket, answer: dict[str, Any]) -> None:
        passed: socket.socket | None = answer.pop("socket", None)
        line = json.dumps(answer).encode() + b"\n"
        try:
            if passed is None:
                await asyncio.get_running_loop().sock_sendall(connection, line)
            else:
                with passed:
                    socket.send_fds(connection, [line], [passed.fileno()])
        except OSError:
            pass  # The launcher went away; a passed socket was closed above.

    async def _perform(self, request: dict[str, Any]) -> dict[str, Any]:
        match request["do"]:
            case "configure":
                self._configure(request)
                if "service" in request:
                    await self._serve(request["service"])
            case "dial":
                return {"socket": await network.dial(request["port"])}
            case "way_out" if self._way_out is not None:
                return {"socket": self._way_out.dup()}
            case "activity":
                running = self._table.running()
                kept = [process for process in running if process.command.keep_alive]
                return {"processes": len(running), "keep_alive": len(kept)}
            case "limit_disks":
                self._limit_disks(request["disks"], request["reserve_mb"])
            case "freeze":
                self._sandbox.awake.clear()
                if request["by_signals"]:
                    await self._freezer.freeze()
            case "thaw":
                await self._freezer.thaw()
                self._sandbox.awake.set()
        return {}

    def _configure(self, request: dict[str, Any]) -> None:
        self._sandbox.configure(
            name=request["name"],
            image=request["image"],
            memory_mb=request["memory_mb"],
            envs=request["envs"],
        )
        self._limit_disks(request["disks"], request["reserve_mb"])
        limits.apply(request["memory_mb"], is_isolated=self._sandbox.is_isolated)

    def _limit_disks(self, disks: list[dict[str, Any]], reserve_mb: int) -> None:
        self._sandbox.reserve = reserve_mb * 2**20
        self._sandbox.disks = tuple(
            Disk(tuple(disk["paths"]), disk["limit_mb"] * 2**20) for disk in disks
        )

    async def _serve(self, service: dict[str, Any]) -> None:
        """Start what the image runs from the start, and give it time to listen.

        Its files are the user's: a sandbox in which they are broken starts without it.
        """
        command = Command(
            text=service["command"],
            name=service["name"],
            cwd=f"{self._sandbox.home}/{service['folder']}",
            restart_on_failure=True,
            max_restarts=-1,
        )
        with contextlib.suppress(ApiError, TimeoutError):
            await self._table.start(command)
            async with asyncio.timeout(SERVICE_SECONDS):
                await network.wait_for_ports([service["port"]])


async def _read_line(connection: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        chunk = await asyncio.get_running_loop().sock_recv(connection, 2**16)
        if not chunk or len(line) > MAX_REQUEST:
            raise ConnectionError("the request was not a line")
        line += chunk
    return line
