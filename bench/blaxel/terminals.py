"""Time from a key to its echo on the screen, beside the same shell on this machine's terminal."""

import json
import os
import pty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from websockets.sync.client import connect

from bench.blaxel.running import create, running
from bench.report import Table
from bench.timing import milliseconds, ratio, spread, table
from tests.support.local_blaxel import KEY, Server

TIMES = 300
PROMPT = "ready>"
SHELL = ["bash", "--norc", "--noprofile"]

Write, Read = Callable[[str], object], Callable[[], str]


def measure() -> list[Table]:
    with running() as server:
        create(server, "bench")
        with _through_http(server) as terminal:
            taken = echoes(*terminal)
        with _directly() as terminal:
            direct = echoes(*terminal)
    return [table(spread("Echo of a key", taken, beside=ratio(taken, direct, "a PTY here")))]


def echoes(write: Write, read: Read, times: int = TIMES) -> list[float]:
    """Time keys to their echoes, in a shell that writes nothing else."""
    write(f"exec {' '.join(SHELL)}\rPS1=ready'>'\r")
    _read_until(PROMPT, read)
    taken = []
    for _ in range(times):
        taken.append(milliseconds(lambda: (write("x"), _read_until("x", read))))
        write("\x7f")
        _read_until("\b", read)
    return taken


def _read_until(text: str, read: Read) -> None:
    seen = ""
    while text not in seen:
        seen += read()


@contextmanager
def _through_http(server: Server) -> Iterator[tuple[Write, Read]]:
    address = f"ws://127.0.0.1:{server.port}{server.inside('bench', '/terminal/ws')}?token={KEY}"
    with connect(address, proxy=None) as socket:
        yield (
            lambda text: socket.send(json.dumps({"type": "input", "data": text})),
            lambda: json.loads(socket.recv(timeout=10))["data"],
        )


@contextmanager
def _directly() -> Iterator[tuple[Write, Read]]:
    pid, master = pty.fork()
    if pid == 0:
        os.execvp(SHELL[0], SHELL)
    yield (
        lambda text: os.write(master, text.encode()),
        lambda: os.read(master, 2**16).decode(),
    )
    os.close(master)
    os.waitpid(pid, 0)
