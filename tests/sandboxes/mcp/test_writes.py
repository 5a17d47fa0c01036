"""An agent that writes where the disk is full: it is told so, and nothing is lost."""

import pytest

pytestmark = pytest.mark.data_plane

# A file system of its own that is soon full.
FULL = "/dev/shm"
STATE = f"cd {FULL}; stat -c '%n %a %h %u' *; sha256sum < kept"
NEW = "n" * 900_000
TOOLS = {
    "fsWriteFile": {"content": NEW},
    "fsEditFile": {"oldString": "begin", "newString": NEW},
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("name", ["kept", "link"])
def test_an_agent_is_told_that_the_disk_is_full_and_the_file_stays(made, as_agent, run, tool, name):
    run(
        f"cd {FULL}; (printf begin; yes | head -c 300000) > kept; chmod 640 kept; "
        "ln -s kept link; head -c 1G /dev/zero > fill"
    )
    before = run(STATE)["stdout"]

    async def write(client):
        return await client.call_tool(tool, {"path": f"{FULL}/{name}", **TOOLS[tool]})

    result = as_agent(made.owner, write)

    assert result.is_error
    assert "no space left on device" in result.content[0].text
    assert run(STATE)["stdout"] == before
