"""A launcher in a process of its own, called by JSON lines on standard input.

Usage: python -m tests.support.launcher_process STATE_DIR
"""

from __future__ import annotations

import asyncio
import inspect
import json
import sys
from pathlib import Path
from typing import Any

from local_blaxel.launcher import Launcher, LaunchError
from tests.support.launcher_host import spec


async def answer(launcher: Launcher, method: str, *arguments: Any) -> Any:
    if method == "start":
        return await launcher.start(spec(*arguments))
    if method == "restart":
        return await launcher.restart(arguments[0], spec("again"))
    result = getattr(launcher, method)(*arguments)
    result = await result if inspect.isawaitable(result) else result
    return str(result) if isinstance(result, Path) else result


async def main() -> None:
    launcher, failure = None, ""
    try:
        launcher = Launcher(Path(sys.argv[1]), pool_size=1)
    except LaunchError as exc:
        failure = str(exc)
    while line := await asyncio.to_thread(sys.stdin.readline):
        if launcher is None:
            print(json.dumps({"cannot launch": failure}), flush=True)
        else:
            print(json.dumps({"result": await answer(launcher, *json.loads(line))}), flush=True)
    if launcher is not None:
        await launcher.close()


asyncio.run(main())
