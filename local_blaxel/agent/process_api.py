"""``/process``: Blaxel's process API."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import json
import math
import re
import time
from collections.abc import AsyncIterator, Coroutine
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from . import log_stream, paths
from .logs import READ_SIZE, Log
from .names import NameRoute, addressable
from .network import wait_for_ports
from .processes import Command, Process, ProcessTable, random_name
from .sandbox import Sandbox
from .wire import ApiError, Body, Json, query_number, read_body, read_json, without_nul

INLINE_OUTPUT = 64 * 2**10
FULL_OUTPUT = 4 * 2**20
MAX_WAIT = 119
KEEPALIVE_SECONDS = 5.0
DEFAULT_KEEP_ALIVE_SECONDS = 600
MAX_STDIN = 2**20
NDJSON = "application/x-ndjson"


class ProcessApi:
    def __init__(self, sandbox: Sandbox, table: ProcessTable) -> None:
        self._sandbox = sandbox
        self._table = table

    def routes(self) -> list[Route]:
        return [
            Route("/process", self.execute, methods=["POST"]),
            Route("/process", self.list, methods=["GET"]),
            NameRoute("/process/{id:name}", self.get, methods=["GET"]),
            NameRoute("/process/{id:name}", self.stop, methods=["DELETE"]),
            NameRoute("/process/{id:name}/kill", self.kill, methods=["DELETE"]),
            NameRoute("/process/{id:name}/wait", self.wait, methods=["GET"]),
            NameRoute("/process/{id:name}/logs", self.logs, methods=["GET"]),
            NameRoute("/process/{id:name}/logs/stream", self.stream_logs, methods=["GET"]),
            NameRoute("/process/{id:name}/stdin", self.write_stdin, methods=["POST"]),
            NameRoute("/process/{id:name}/stdin", self.close_stdin, methods=["DELETE"]),
        ]

    async def execute(self, request: Request) -> Response:
        body = await read_json(request)
        command = _command(body, self._sandbox)
        ports, timeout = body.numbers("waitForPorts"), body.number("timeout") or 0
        waits = body.flag("waitForCompletion")
        deadline = timeout if timeout > 0 and not command.keep_alive else None
        process = await self._table.start(command)
        if "text/event-stream" in request.headers.get("accept", ""):
            events = _stream(process, deadline)
            return StreamingResponse(events, media_type=NDJSON)

        if ports:
            late = f"process timed out waiting for ports after {timeout} seconds"
            await _within(deadline, _ports_or_exit(process, ports), request, late)
        if waits:
            late = f"process timed out after {timeout} seconds"
            await _within(deadline, process.finished.wait(), request, late)
        return Json(describe(process, FULL_OUTPUT))

    async def list(self, request: Request) -> Response:
        return Json([describe(process) for process in self._table.all()])

    async def get(self, request: Request) -> Response:
        return Json(describe(self._find(request)))

    async def wait(self, request: Request) -> Response:
        process = self._find(request)
        seconds = min(query_number(request, "timeout", 60), MAX_WAIT)
        # When time is up, the answer says that it still runs.
        with contextlib.suppress(ApiError):
            await _within(seconds, process.finished.wait(), request, "")
        return Json(describe(process))

    async def stop(self, request: Request) -> Response:
        await self._table.find_running(request.path_params["id"]).stop()
        return Json({"message": "Process stopped successfully"})

    async def kill(self, request: Request) -> Response:
        process = self._find(request)
        process.kill()
        await process.finished.wait()
        return Json({"message": "Process killed successfully"})

    async def logs(self, request: Request) -> Response:
        return Json(_outputs(self._find(request), FULL_OUTPUT))

    async def stream_logs(self, request: Request) -> Response:
        output = self._find(request).output
        if NDJSON in request.headers.get("accept", ""):
            return StreamingResponse(log_stream.events(output), media_type=NDJSON)
        lines = log_stream.lines(output)
        return StreamingResponse(lines, media_type="text/plain; charset=utf-8")

    async def write_stdin(self, request: Request) -> Response:
        pipe = self._stdin(request)
        if pipe.is_closing():
            raise ApiError(409, "standard input is closed")
        data = await read_body(request, MAX_STDIN)
        if pipe.get_write_buffer_size() > MAX_STDIN:
            raise ApiError(503, "the process is not reading its standard input")
        pipe.write(data)
        return Json({"message": "Stdin written successfully"})

    async def close_stdin(self, request: Request) -> Response:
        self._stdin(request).close()
        return Json({"message": "Stdin closed successfully"})

    def _find(self, request: Request) -> Process:
        return self._table.find(request.path_params["id"])

    def _stdin(self, request: Request) -> asyncio.WriteTransport:
        pipe = self._find(request).stdin()
        if pipe is None:
            raise ApiError(409, "the process has no standard input")
        return pipe


def _command(body: Body, sandbox: Sandbox) -> Command:
    text = without_nul("command", body.text("command"))
    if not text.strip():
        raise ApiError(400, "command is required")
    env = body.texts("env")
    for name, value in env.items():
        without_nul("env", name + value)
        if not name or "=" in name:
            raise ApiError(400, f"env has a name that can't be set: {name!r}")
    keep_alive = body.flag("keepAlive")
    return Command(
        text=text,
        name=addressable(body.text("name")) or random_name(),
        cwd=paths.absolute(body.path("workingDir") or ".", sandbox),
        env=env,
        keep_alive=keep_alive,
        kill_after=_kill_after(body.number("timeout")) if keep_alive else None,
        restart_on_failure=body.flag("restartOnFailure"),
        max_restarts=body.number("maxRestarts") or 0,
        stdin=body.flag("stdin"),
    )


def _kill_after(timeout: int | None) -> int | None:
    """Return the timeout that kills with keepAlive: ten minutes unless given, never when 0."""
    if timeout is None or timeout < 0:
        return DEFAULT_KEEP_ALIVE_SECONDS
    return timeout or None


async def _within(
    seconds: int | None, waiting: Coroutine[Any, Any, object], request: Request, late: str
) -> None:
    """Wait, at most `seconds` and only while the client is there. The process runs on."""
    if not await _first({waiting, _disconnection(request)}, seconds):
        raise ApiError(422, late, "TIMED_OUT")


async def _first(waiting: set[Coroutine[Any, Any, object]], seconds: int | None = None) -> bool:
    """Wait for the first of these to end, and return whether it did in time; cancel the others."""
    tasks = [asyncio.create_task(each) for each in waiting]
    try:
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
    for task in done:
        task.result()
    return bool(done)


async def _disconnection(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _ports_or_exit(process: Process, ports: list[int]) -> None:
    await _first({wait_for_ports(ports), process.finished.wait()})


def describe(process: Process, limit: int = INLINE_OUTPUT) -> dict[str, Any]:
    """Blaxel's ProcessResponse, with the newest `limit` bytes of each stream."""
    command = process.command
    return {
        "pid": str(process.pid),
        "name": command.name,
        "command": command.text,
        "status": process.status,
        "startedAt": _http_date(process.started_at),
        "completedAt": _http_date(process.completed_at) if process.completed_at else "",
        "exitCode": process.exit_code,
        "workingDir": command.cwd,
        **_outputs(process, limit),
        "keepAlive": command.keep_alive,
        "restartOnFailure": command.restart_on_failure,
        "maxRestarts": command.max_restarts,
        "restartCount": process.restart_count,
        "stdin": command.stdin,
    }


def _outputs(process: Process, limit: int) -> dict[str, str]:
    output = process.output
    streams = {"logs": output.logs, "stdout": output.stdout, "stderr": output.stderr}
    return {name: _text(log, limit, output.is_complete) for name, log in streams.items()}


def _text(log: Log, limit: int, is_complete: bool) -> str:
    """The end of it, without the rest of a character that was cut, or is not whole yet."""
    data = log.tail(limit)
    if log.end > len(data):
        data = re.sub(rb"\A[\x80-\xbf]{1,3}", b"", data)
    return codecs.getincrementaldecoder("utf-8")("replace").decode(data, final=is_complete)


def _http_date(moment: datetime) -> str:
    return moment.strftime("%a, %d %b %Y %H:%M:%S GMT")


async def _stream(process: Process, seconds: int | None) -> AsyncIterator[bytes]:
    """The output as it comes, one JSON object a line, and the process itself at the end.

    When the time is up, the end is an error; the process runs on.
    """
    output = process.output
    ends_at = time.monotonic() + seconds if seconds else math.inf
    readers = [_Reader("stdout", output.stdout), _Reader("stderr", output.stderr)]
    while True:
        is_complete = output.is_complete
        events = [event for reader in readers for event in reader.events(is_complete)]
        for event in events:
            yield event
        if is_complete and not events:
            break
        patience = min(KEEPALIVE_SECONDS, ends_at - time.monotonic())
        if patience <= 0:
            yield _event("error", f"process timed out after {seconds} seconds")
            return
        is_silent = not events and not await output.changed(patience)
        if is_silent and patience == KEEPALIVE_SECONDS:
            yield _event("keepalive", "")
    await process.finished.wait()
    yield _event("result", json.dumps(describe(process, FULL_OUTPUT)))


class _Reader:
    """Follows one stream without cutting a character in two."""

    def __init__(self, stream: str, log: Log) -> None:
        self._stream, self._log, self._position = stream, log, 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def events(self, is_last: bool) -> list[bytes]:
        self._position, data = self._log.read(self._position, READ_SIZE)
        text = self._decoder.decode(data, final=is_last and not data)
        return [_event(self._stream, text)] if text else []


def _event(kind: str, data: str) -> bytes:
    return json.dumps({"type": kind, "data": data}).encode() + b"\n"
