"""Published MCP clients, unmodified, as package.json beside names them."""

import asyncio
import json
import os
import queue
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from playwright.sync_api import Page, expect

from tests.support.manta_process import Manta
from tests.support.mcp_sign_in import allow
from tests.support.person import sign_in_as
from tests.support.visitor import PASSWORD, Visitor

pytestmark = pytest.mark.exhaustive

CLIENTS = Path(__file__).with_name("mcp_clients")
INSTALL_SECONDS, RUN_SECONDS = 150, 90
# What npm leaves behind when an installation was finished.
INSTALLED = CLIENTS / "node_modules" / ".package-lock.json"
REMOTE = CLIENTS / "node_modules" / "mcp-remote" / "dist" / "proxy.js"
INSPECTOR = CLIENTS / "node_modules" / ".bin" / "mcp-inspector"
SIGN_IN = re.compile(r"https?://\S+/oauth/authorize\?\S+")
RUN = {"command": "echo Hello, agent", "waitForCompletion": True}


@pytest.fixture(scope="session")
def node() -> str:
    """Node, with the clients installed; skips where there is none, or no npm."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("there is no node or no npm on this machine")
    lock = CLIENTS / "package-lock.json"
    if not INSTALLED.exists() or INSTALLED.stat().st_mtime < lock.stat().st_mtime:
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        installing = subprocess.run(
            command, cwd=CLIENTS, capture_output=True, text=True, timeout=INSTALL_SECONDS
        )
        assert installing.returncode == 0, installing.stderr
        INSTALLED.touch()
    return node


@pytest.fixture
def token(page: Page, visitor: Visitor) -> str:
    """A personal token of the visitor's, made as people make it."""
    sign_in_as(page, visitor)
    page.goto("/account/tokens/new/")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("Name").fill("Laptop")
    page.get_by_label("Use the tools inside your sandbox").check()
    page.get_by_role("button", name="Create token").click()
    return page.locator("main [data-copy-text]").text_content() or ""


class Remote:
    """mcp-remote, which makes a local program of /mcp; what it says is kept, line by line."""

    def __init__(self, node: str, home: Path, url: str) -> None:
        self.said: queue.Queue[str] = queue.Queue()
        self._node, self._home, self._url = node, home, url
        self._thread = ThreadPoolExecutor(1)

    def starts(self, *options: str) -> Future[str]:
        """Run a command in the sandbox through it: what that prints, to come."""
        return self._thread.submit(lambda: asyncio.run(self._run(options)))

    async def _run(self, options: tuple[str, ...]) -> str:
        read, write = os.pipe()
        threading.Thread(target=self._listen, args=(read,), daemon=True).start()
        program = StdioServerParameters(
            command=self._node, args=[str(REMOTE), self._url, *options], env=_environ(self._home)
        )
        with os.fdopen(write, "w") as errors:
            async with Client(stdio_client(program, errlog=errors)) as client:
                result = await client.call_tool("processExecute", RUN)
        return str(json.loads(result.content[0].text)["logs"])  # type: ignore[union-attr]

    def _listen(self, read: int) -> None:
        with os.fdopen(read) as lines:
            for line in lines:
                self.said.put(line)

    def asks_to_open(self) -> str:
        """The address that it wants its person to visit."""
        while True:
            if found := SIGN_IN.search(self.said.get(timeout=RUN_SECONDS)):
                return found[0]


@pytest.fixture
def remote(node: str, manta: Manta, tmp_path: Path) -> Iterator[Remote]:
    yield Remote(node, tmp_path, f"{manta.url}/mcp")


def _environ(home: Path) -> dict[str, str]:
    # Nothing opens a browser: xdg-open of that name does nothing.
    return {"PATH": os.environ["PATH"], "HOME": str(home), "BROWSER": "true"}


def test_mcp_remote_signs_in_calls_and_comes_back(
    remote: Remote, page: Page, visitor: Visitor
) -> None:
    sign_in_as(page, visitor)
    calling = remote.starts()
    allow(page, remote.asks_to_open(), "MCP CLI Proxy")
    assert "Hello, agent" in calling.result(RUN_SECONDS)

    # It has kept its tokens, and asks nobody.
    assert "Hello, agent" in remote.starts().result(RUN_SECONDS)

    page.goto("/account/agents/")
    expect(page.get_by_role("heading", name="MCP CLI Proxy")).to_be_visible()


def test_mcp_remote_takes_a_personal_token(remote: Remote, token: str) -> None:
    calling = remote.starts("--header", f"Authorization: Bearer {token}")

    assert "Hello, agent" in calling.result(RUN_SECONDS)


@pytest.fixture
def inspect(node: str, manta: Manta, token: str, tmp_path: Path) -> Callable[..., Any]:
    """The inspector's command line, with a personal token."""

    def inspect(*options: str) -> Any:
        target = [f"{manta.url}/mcp", "--transport", "http"]
        header = ["--header", f"Authorization: Bearer {token}"]
        ran = subprocess.run(
            [str(INSPECTOR), "--cli", *target, *header, *options],
            env=_environ(tmp_path),
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return json.loads(ran.stdout)

    return inspect


def test_the_inspector_lists_and_calls(inspect: Callable[..., Any]) -> None:
    listed = inspect("--method", "tools/list")
    arguments = [f"command={RUN['command']}", "waitForCompletion=true"]
    tool = ["--method", "tools/call", "--tool-name", "processExecute"]
    called = inspect(*tool, *(part for one in arguments for part in ("--tool-arg", one)))

    assert {"processExecute", "sandboxStatus"} <= {tool["name"] for tool in listed["tools"]}
    assert "Hello, agent" in called["content"][0]["text"]
