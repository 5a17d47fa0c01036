"""The package indexes that pip and npm on this machine are set to use, asked of them."""

import asyncio
import json
import re
import sys
from urllib.parse import urlsplit

from local_blaxel.egress.policy import AllowList, Resolve

ASK_SECONDS = 30.0
# How pip writes its default into its help, across a line's end.
_PIP_DEFAULT = re.compile(r"\(default\s+(https?://[^\s)]+)\)")
_URL = re.compile(r"https?://[^\s'\"]+")


async def allow_list(configured: str | None, resolve: Resolve) -> AllowList:
    """Return the configured addresses, else those where pip and npm here get their packages."""
    if configured is not None:
        return AllowList(configured.replace(",", " ").split(), resolve)
    found = await asyncio.gather(_of_pip(), _of_npm())
    return AllowList({entry for entries in found for entry in entries}, resolve)


async def _of_pip() -> set[str]:
    pip = [sys.executable, "-m", "pip"]
    configured, described = await asyncio.gather(
        _said([*pip, "config", "list"]), _said([*pip, "install", "--help"])
    )
    lines = [line for line in configured.splitlines() if "index-url" in line.partition("=")[0]]
    urls = [url for line in lines for url in _URL.findall(line)]
    return {_entry(url) for url in [*urls, *_PIP_DEFAULT.findall(described)]}


async def _of_npm() -> set[str]:
    try:
        settings = json.loads(await _said(["npm", "config", "list", "--json"]) or "{}")
    except ValueError:
        return set()
    registries = {
        value
        for key, value in settings.items()
        if key.endswith("registry") and isinstance(value, str)
    }
    return {_entry(url) for url in registries if _URL.fullmatch(url)}


def _entry(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


async def _said(command: list[str]) -> str:
    """Return what a command prints, or "" if it is missing, fails or hangs."""
    pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=nothing, stdout=pipe, stderr=nothing, start_new_session=True
        )
    except OSError:
        return ""
    try:
        async with asyncio.timeout(ASK_SECONDS):
            output, _ = await process.communicate()
    except (TimeoutError, asyncio.CancelledError) as exc:
        process.kill()
        await process.wait()
        if isinstance(exc, asyncio.CancelledError):
            raise
        return ""
    return output.decode(errors="replace")
