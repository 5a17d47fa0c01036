"""What keeps a sandbox awake, and what lets it sleep, through a real web process."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest

from sandboxes.mcp.endpoint import PATH as MCP
from sandboxes.streams.paths import SANDBOX_EVENTS, STATUS
from tests.support.factories import make_token
from tests.support.waiting import wait_until
from tests.support.web_process import TIMEOUT, Page, cookie_of

# Ends once that file is there, and says nothing until then.
SILENT = "until [ -e /blaxel/end ]; do sleep 0.1; done"


@pytest.fixture
def at(provider):
    """The provider's view, which wakes nothing."""
    return provider.server


@pytest.fixture
def use(web, made, at):
    """Starts a use by its name; ends it when the block does."""

    def program(*scopes):
        headers = {"Authorization": f"Bearer {make_token(made.owner, *scopes)}"}
        return httpx.Client(base_url=web.url, headers=headers, trust_env=False, timeout=TIMEOUT)

    def end():
        at.run(made.name, "touch /blaxel/end")

    @contextmanager
    def call():
        run = {"command": f"touch /blaxel/begun; {SILENT}", "waitForCompletion": True}
        params = {"name": "processExecute", "arguments": run}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        accept = {"Accept": "application/json, text/event-stream"}
        with program("mcp") as http, ThreadPoolExecutor(1) as elsewhere:
            answer = elsewhere.submit(http.post, MCP, json=message, headers=accept)
            wait_until(lambda: at.run(made.name, "test -e /blaxel/begun")["exitCode"] == 0, TIMEOUT)
            yield
            end()
            assert answer.result().is_success

    @contextmanager
    def process(keep_alive):
        body = {"name": "silent", "command": SILENT, "keepAlive": keep_alive}
        with program("processes") as http:
            http.post("/api/sandbox/processes", json=body).raise_for_status()
            yield
            end()

    @contextmanager
    def page(path):
        listening = Page(web, cookie_of(made.owner), path=path)
        wait_until(lambda: listening.said, TIMEOUT)
        yield
        listening.close()

    return {
        "a call of an agent": call,
        "a silent process that is kept alive": lambda: process(True),
        "a silent process": lambda: process(False),
        "the workspace in view": lambda: page(SANDBOX_EVENTS),
        "another page": lambda: page(STATUS),
    }


def until_another_sleeps(at):
    """As long as a sandbox takes that nobody uses, from now."""
    name = at.create()
    wait_until(lambda: at.sleeps(name), TIMEOUT)


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "what",
    ["a call of an agent", "a silent process that is kept alive", "the workspace in view"],
)
def test_it_stays_awake_for(use, what, at, made):
    with use[what]():
        until_another_sleeps(at)

        assert not at.sleeps(made.name)

    wait_until(lambda: at.sleeps(made.name), TIMEOUT)


@pytest.mark.exhaustive
@pytest.mark.parametrize("what", ["a silent process", "another page"])
def test_it_sleeps_in_spite_of(use, what, at, made):
    with use[what]():
        wait_until(lambda: at.sleeps(made.name), TIMEOUT)
