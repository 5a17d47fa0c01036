"""Programs of this machine, run for a sandbox before it exists: with the network, confined."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

# The uid that everything runs as when the server is root: one that owns nothing.
ORDINARY_UID = 65533
# Of the server's environment, what a program needs to find its way out.
PROXIES = ("http_proxy", "https_proxy", "no_proxy")


@dataclass(frozen=True)
class Tool:
    argv: list[str]
    stdin: bytes
    environ: dict[str, str]
    cwd: Path


def ordinary_uid() -> int | None:
    """Return the uid to become before a sandbox is made: an ordinary one for root, else None."""
    return ORDINARY_UID if os.geteuid() == 0 else None


def environment(home: str, path: str) -> dict[str, str]:
    proxies = {name: text for name, text in os.environ.items() if name.lower() in PROXIES}
    return {"PATH": path, "HOME": home, "LANG": "C.UTF-8"} | proxies


async def run(tool: Tool, seconds: float) -> tuple[int, str]:
    """Run a tool; return its exit code and all output. Raises TimeoutError, having ended it."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *tool.argv,
        stdin=pipe,
        stdout=pipe,
        stderr=asyncio.subprocess.STDOUT,
        env=tool.environ,
        cwd=tool.cwd,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(seconds):
            said, _ = await process.communicate(tool.stdin)
    except (TimeoutError, asyncio.CancelledError):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    return process.returncode or 0, said.decode(errors="replace")


def hand_over(folder: Path) -> None:
    """Give a folder that the server made to the user that sandboxes run as."""
    if (uid := ordinary_uid()) is None:
        return
    subprocess.run(["chown", "-R", f"{uid}:{uid}", "--", str(folder)], check=True)  # noqa: S603, S607


def copy_into(source: Path, target: Path) -> None:
    """All that is in a folder, as it is; without copying its bytes where the file system can."""
    command = ["cp", "-a", "--reflink=auto", "--", f"{source}/.", str(target)]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603
