"""Manta's own processes: how they are started and stopped, by `make run` as by `make serve`."""

import asyncio
import fcntl
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts.child import Child, StartError, say

ROOT = Path(__file__).resolve().parent.parent
# One process, whatever WEB_CONCURRENCY is: the supervisor starts as many as it says. Manta counts
# trusted proxies itself, so uvicorn believes no header about where a request comes from.
UVICORN = (
    *(sys.executable, "-m", "uvicorn", "manta.asgi:application", "--workers", "1"),
    *("--log-level", "warning", "--no-access-log", "--no-server-header", "--no-proxy-headers"),
    *("--http", "manta.core.http_protocol:HttpProtocol"),
)
WORKER = (sys.executable, "manage.py", "worker")


@contextmanager
def state_of_its_own(state_dir: Path) -> Iterator[None]:
    """Make the state directory, and keep a second start out of it while this one lasts."""
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        state_dir.chmod(0o700)
        lock = (state_dir / "run.lock").open("w")
    except OSError as exc:
        raise StartError(f"MANTA_STATE_DIR {state_dir}: {exc.strerror}.") from exc
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise StartError(f"Manta is running already on {state_dir}.") from exc
        yield


def bound(host: str, port: int) -> socket.socket:
    """Bind the address; connections are refused until a web process listens on it."""
    address = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    address.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Connections inherit it. asyncio sets it only where it made the socket itself, and without it
    # each answer of two parts waits 40 ms for the acknowledgement of the first.
    address.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        address.bind((host, port))
    except (OSError, OverflowError) as exc:
        address.close()
        why = getattr(exc, "strerror", None) or exc
        raise StartError(f"HOST {host}, PORT {port}: {why}.") from exc
    return address


async def until_stopped(
    work: Coroutine[Any, Any, None], stop: Callable[[], Awaitable[None]]
) -> None:
    """Do the work until it fails or a signal asks to stop; then stop what it has started."""
    task = asyncio.create_task(work)
    on_signals(task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        say("manta: stopping")
    finally:
        on_signals(lambda: None)
        await stop()


def on_signals(action: Callable[[], object]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, action)


async def prepare(purpose: str, environ: Mapping[str, str]) -> str:
    """Run scripts/prepare.py; return how the first admin signs in, if it has just made one."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "scripts.prepare", purpose),
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        raise
    if process.returncode:
        raise StartError("the start stopped for the reason above.")
    return output.decode().strip()


async def until_at_work(worker: Child) -> None:
    async def said_ready() -> bool | None:
        return worker.said_ready or None

    await worker.until(said_ready)
