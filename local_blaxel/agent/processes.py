"""The commands a sandbox runs: start, supervise, restart, signal."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shlex
import signal
import string
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

from . import limits, programs
from .output import Output
from .sandbox import Sandbox
from .wire import ApiError

RESTART_PAUSE = 1.0
# A background child may hold the pipes open after its parent's exit; its output is still read.
DRAIN_SECONDS = 0.1
STOP_ANSWER_SECONDS = 0.2
# What is remembered of finished processes, and of the running ones together.
MAX_FINISHED = 500
MAX_FINISHED_OUTPUT = 256 * 2**20
MAX_RUNNING_OUTPUT = 512 * 2**20


@dataclass(frozen=True)
class Command:
    text: str
    name: str
    cwd: str
    env: dict[str, str] = field(default_factory=dict)
    keep_alive: bool = False
    kill_after: int | None = None
    restart_on_failure: bool = False
    max_restarts: int = 0
    stdin: bool = False


class _Child(asyncio.SubprocessProtocol):
    """Hands the pipes' bytes to the output, and says when the child has exited."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._open = {1, 2}
        self.exited = asyncio.Event()
        self.drained = asyncio.Event()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._output.write("stdout" if fd == 1 else "stderr", data)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self._open.discard(fd)
        if not self._open:
            self.drained.set()

    def process_exited(self) -> None:
        self.exited.set()


class Process:
    """One command from its first start to its last exit, restarts included."""

    def __init__(self, command: Command, sandbox: Sandbox) -> None:
        self.command = command
        self.output = Output()
        self.pid = 0
        self.exit_code = 0
        self.restart_count = 0
        self.started_at = datetime.now(UTC)
        self.completed_at: datetime | None = None
        self.finished = asyncio.Event()
        self._sandbox = sandbox
        self._ending = ""
        self._transport: asyncio.SubprocessTransport | None = None
        self._signalled = asyncio.Event()

    @property
    def is_running(self) -> bool:
        return not self.finished.is_set()

    @property
    def status(self) -> str:
        if self.is_running:
            return "running"
        return self._ending or ("failed" if self.exit_code else "completed")

    async def start(self) -> asyncio.Task[None]:
        """Start the command; the task returned ends with its last exit."""
        child = await self._spawn()
        return asyncio.create_task(self._supervise(child))

    async def _spawn(self) -> _Child:
        given = {"PWD": self.command.cwd} | self.command.env
        env = programs.apart(given) if programs.MARK in given else self._sandbox.environ | given
        shell = [env.get("SHELL") or "sh", *shlex.split(env.get("SHELL_ARGS") or "-c")]
        pipe = asyncio.subprocess.PIPE
        transport, child = await limits.starting(
            lambda: asyncio.get_running_loop().subprocess_exec(
                lambda: _Child(self.output),
                *shell,
                self.command.text,
                stdin=pipe if self.command.stdin else asyncio.subprocess.DEVNULL,
                stdout=pipe,
                stderr=pipe,
                cwd=self.command.cwd,
                env=env,
                process_group=0,
                restore_signals=False,
                preexec_fn=limits.before_exec(is_isolated=self._sandbox.is_isolated),
            )
        )
        self._transport = transport
        pid = transport.get_pid()
        self.pid = self.pid or pid
        self._sandbox.settle(pid)
        return child

    async def _supervise(self, child: _Child) -> None:
        timer = None
        if self.command.kill_after:
            timer = asyncio.get_running_loop().call_later(self.command.kill_after, self.kill)
        await self._exit_of(child)
        while self._may_restart() and not await _is_set_within(RESTART_PAUSE, self._signalled):
            await self._sandbox.awake.wait()
            self.restart_count += 1
            self._note_restart()
            try:
                child = await self._spawn()
            except OSError as exc:
                self.output.write("stderr", f"[Restart failed: {exc}]\n".encode())
                break
            await self._exit_of(child)
        if timer is not None:
            timer.cancel()
        self.completed_at = datetime.now(UTC)
        self.output.complete()
        self.finished.set()

    async def _exit_of(self, child: _Child) -> None:
        await child.exited.wait()
        await _is_set_within(DRAIN_SECONDS, child.drained)
        code = cast(asyncio.SubprocessTransport, self._transport).get_returncode() or 0
        # A command that a signal ended has no exit code of its own.
        self.exit_code = max(code, -1)

    def _may_restart(self) -> bool:
        command = self.command
        is_left = command.max_restarts < 0 or self.restart_count < command.max_restarts
        return command.restart_on_failure and is_left and self.exit_code != 0 and not self._ending

    def _note_restart(self) -> None:
        attempt = f"{self.restart_count}/{self.command.max_restarts}"
        text = (
            f"[Process failed with exit code {self.exit_code}. Attempting restart {attempt}...]\n"
        )
        self.output.write("restart", text.encode())

    async def stop(self) -> None:
        """Ask it to end; returns once it has, or soon after if it takes its time."""
        self._ending = self._ending or "stopped"
        self._signal(signal.SIGTERM)
        await _is_set_within(STOP_ANSWER_SECONDS, self.finished)

    def kill(self) -> None:
        if self.is_running:
            self._ending = "killed"
            self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        self._signalled.set()
        if self._transport is not None and self._transport.get_returncode() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._transport.get_pid(), number)

    def stdin(self) -> asyncio.WriteTransport | None:
        """The pipe to the command's standard input, while there is one."""
        if self._transport is None or not self.command.stdin or not self.is_running:
            return None
        return cast("asyncio.WriteTransport | None", self._transport.get_pipe_transport(0))


class ProcessTable:
    """Every process of this sandbox, running and, for a while, finished."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._all: list[Process] = []
        self._starting: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def all(self) -> list[Process]:
        return list(self._all)

    def running(self) -> list[Process]:
        return [process for process in self._all if process.is_running]

    def find(self, identifier: str) -> Process:
        """Find a process by pid, else the latest of that name."""
        latest = self._all[::-1]
        by_pid = (each for each in latest if str(each.pid) == identifier)
        by_name = (each for each in latest if each.command.name == identifier)
        if process := next(by_pid, None) or next(by_name, None):
            return process
        raise ApiError(404, "process not found")

    def find_running(self, identifier: str) -> Process:
        process = self.find(identifier)
        if not process.is_running:
            raise ApiError(404, f"process {identifier} is not running")
        return process

    async def start(self, command: Command) -> Process:
        """Run the command. Raises ApiError 422 when it can't be started."""
        name = command.name
        if name in self._starting or any(each.command.name == name for each in self.running()):
            said = f"process with name '{name}' already exists and is running"
            raise ApiError(400, said, "PROCESS_ALREADY_EXISTS")
        if not os.path.isdir(command.cwd):
            missing = f"because folder '{command.cwd}' does not exist"
            said = f"could not execute command '{command.text}' {missing}"
            raise ApiError(422, said, "FOLDER_NOT_FOUND")
        process = Process(command, self._sandbox)
        self._starting.add(name)
        try:
            task = await process.start()
        except (OSError, ValueError) as exc:
            raise ApiError(422, f"could not execute command '{command.text}': {exc}") from exc
        finally:
            self._starting.discard(name)
        self._all.append(process)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        self._bound_output()
        return process

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._bound_output()

    def _bound_output(self) -> None:
        running = self.running()
        for process in running:
            process.output.keep(MAX_RUNNING_OUTPUT // len(running))
        self._forget_oldest()

    def _forget_oldest(self) -> None:
        finished = [process for process in self._all if not process.is_running]
        size = sum(process.output.size for process in finished)
        for count, process in zip(range(len(finished), 0, -1), finished, strict=True):
            if count <= MAX_FINISHED and size <= MAX_FINISHED_OUTPUT:
                return
            size -= process.output.size
            self._all.remove(process)


async def _is_set_within(seconds: float, event: asyncio.Event) -> bool:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()


def random_name() -> str:
    alphabet = string.ascii_lowercase + string.digits
    return "proc-" + "".join(random.choices(alphabet, k=8))  # noqa: S311
