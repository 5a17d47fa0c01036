"""Start local_blaxel: `python -m local_blaxel`. It listens on loopback only."""

import asyncio
import gc
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import uvicorn

from local_blaxel import app, image_command
from local_blaxel.config import Config, ConfigError
from local_blaxel.http_protocol import HttpProtocol
from local_blaxel.launcher import Launcher, LaunchError
from local_blaxel.store import Store

# Threads look through /proc, and wait for the disk. Whenever one of them computes, a request that
# comes would wait for five times as long by Python's default.
SWITCH_SECONDS = 0.001
# How long short requests may go on after a signal; streams are ended then.
GRACE = 0.5
# Longer than clients keep an idle connection, httpx 5 s: none is closed just as it is used again.
KEEP_ALIVE_SECONDS = 75


class StartError(Exception):
    """Raised when a start is not possible; the message is one line."""


class Server(uvicorn.Server):
    """uvicorn, ending within two seconds of a signal whatever streams are open."""

    def __init__(self, config: uvicorn.Config, banner: str) -> None:
        super().__init__(config)
        self._banner = banner

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn's own raises the signal again once it has stopped, for a traceback or a -15.
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What is there by now stays: no request waits for the collector to go through all of it.
        gc.freeze()
        print(self._banner, flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        if self.server_state.tasks:
            _, unfinished = await asyncio.wait(self.server_state.tasks, timeout=GRACE)
            for task in unfinished:
                task.cancel()
        await super().shutdown(sockets)


def main() -> int:
    os.umask(0o077)
    sys.setswitchinterval(SWITCH_SECONDS)
    _allow_many_files()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        config = Config.read()
        if sys.argv[1:2] == ["image"]:
            return image_command.main(sys.argv[2:], config)
        listener = _listener(config.port)
        # It holds the state directory's lock: from here on no other server can use the store.
        launcher = Launcher(
            config.state_dir / "sandboxes",
            isolation=config.isolation,
            reserve_mb=config.disk_reserve_mb,
        )
    except (ConfigError, StartError, LaunchError) as exc:
        print(f"local_blaxel: {exc}", file=sys.stderr)
        return 1
    port = listener.getsockname()[1]
    store = Store(config.state_dir / "local_blaxel.sqlite3")
    asgi = app.build(config, port, store, launcher)
    _quieten_uvicorn()
    settings = uvicorn.Config(
        asgi,
        http=HttpProtocol,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        ws_max_size=64 * 1024 * 1024,
        ws_per_message_deflate=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
    )
    Server(settings, _banner(config, port, launcher)).run(sockets=[listener])
    return 0


def _allow_many_files() -> None:
    """A sandbox takes a few descriptors at rest, and two for each of its connections out."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS allows less than it says
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _quieten_uvicorn() -> None:
    """Drop what middleware.py has logged already, and answers that a server inside broke off."""
    log = logging.getLogger("uvicorn.error")
    log.setLevel(logging.ERROR)
    log.addFilter(lambda record: "ASGI" not in record.getMessage())


def _listener(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as exc:
        listener.close()
        hint = "set LOCAL_BLAXEL_PORT to another one"
        raise StartError(f"port {port} can't be used ({exc.strerror}): {hint}") from exc
    return listener


def _banner(config: Config, port: int, launcher: Launcher) -> str:
    url = f"http://127.0.0.1:{port}"
    key = f'"$(cat {config.state_dir / "api-key"})"'
    return f"""\
local_blaxel is ready
LOCAL_BLAXEL_URL={url}
isolation: {launcher.describe()}

For both SDKs:     export BL_WORKSPACE={config.workspace} BL_API_KEY={key}
                   export DO_NOT_TRACK=1
TypeScript, too:   export BL_API_URL={url}/v0 BL_RUN_URL={url} BL_DISABLE_H2=1
Python, in code:   import blaxel
                   from blaxel.core.client.client import client
                   client.with_base_url("{url}/v0")
"""


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        # Before the server has started; from then on the signal ends it.
        sys.exit(130)
