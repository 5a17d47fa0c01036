"""python -m local_blaxel.agent INSTANCE HTTP_FD CONTROL_FD HOME ISOLATION"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import sys
from typing import TextIO, cast

import uvicorn

from . import app, egress, home, init, limits
from .control import Control
from .disk import DiskWatch
from .processes import ProcessTable
from .sandbox import Sandbox
from .server import Server
from .watchdog import Watchdog

logger = logging.getLogger(__name__)

# Longer than any client keeps a connection, so that the agent never closes one about to be used.
KEEP_ALIVE_SECONDS = 600
MAX_WEBSOCKET_MESSAGE = 2**20


async def serve(
    sandbox: Sandbox, http: socket.socket, control: socket.socket, way_out: socket.socket | None
) -> None:
    init.children.adopt(asyncio.get_running_loop())
    table = ProcessTable(sandbox)
    disk = DiskWatch(sandbox, table)
    config = uvicorn.Config(
        app.build(sandbox, table, disk),
        loop="asyncio",
        http="httptools",
        ws="websockets-sansio",
        # The edge looks after its clients; its own connection here can't vanish unnoticed.
        ws_ping_interval=None,
        ws_max_size=MAX_WEBSOCKET_MESSAGE,
        ws_per_message_deflate=False,
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
    )
    controlling = asyncio.create_task(Control(sandbox, table, way_out).serve(control))
    watching = [asyncio.create_task(each.run()) for each in (Watchdog(sandbox), disk)]
    await Server(config, sandbox).serve(sockets=[http])
    for task in (controlling, *watching):
        task.cancel()


def main() -> None:
    instance, http_fd, control_fd, home_dir, isolation = sys.argv[1:]
    init.close_to_others()
    sys.stderr = cast(TextIO, init.CappedLog(sys.stderr))
    if sys.platform == "linux" and sys.version_info < (3, 12):
        # The default watcher there is a thread for each child.
        asyncio.set_child_watcher(asyncio.PidfdChildWatcher())
    limits.prepare_signals()
    is_isolated = isolation != "none"
    sandbox = Sandbox(
        instance=instance,
        home=home_dir,
        isolation=isolation,
        environ=home.environment(home_dir, is_isolated=is_isolated),
    )
    # The home is the person's: nothing in it, or missing from it, may stop the start.
    try:
        home.make_venv(home_dir)
    except OSError as exc:
        logger.warning("there is no virtual environment: %s", exc)
    way_out = egress.listen() if is_isolated else None
    with contextlib.suppress(OSError):
        os.chdir(home_dir)
    os.umask(0o022)
    http, control = socket.socket(fileno=int(http_fd)), socket.socket(fileno=int(control_fd))
    asyncio.run(serve(sandbox, http, control, way_out))


if __name__ == "__main__":
    main()
