"""Tools in a sandbox that runs since before an upgrade: its agent is the older one."""

import pytest

from local_blaxel.mcp import file_tools
from local_blaxel.mcp.agent import Agent

SAYS = {"/health": {"status": "ok"}, "/filesystem": {"path": "/blaxel"}}


@pytest.mark.parametrize(
    ("health", "told"),
    [({}, "/blaxel"), ({"workingDir": "/elsewhere"}, "/elsewhere")],
    ids=["an older agent", "an agent of now"],
)
async def test_the_working_directory_is_told(monkeypatch, health, told):
    async def call(self, method, path):
        return SAYS[path] | (health if path == "/health" else {})

    monkeypatch.setattr(Agent, "call", call)
    [tool] = [each for each in file_tools.TOOLS if each.name == "fsGetWorkingDirectory"]

    answer = await tool.run(Agent(None), {})

    assert answer == {"path": told}
