"""The images on offer, each of which really starts."""

import shutil

import pytest

from local_blaxel.hub import images
from local_blaxel.launcher import LaunchSpec
from tests.support.launcher_host import Agent

TOOLS = {
    "bash": "bash --version",
    "coreutils": "ls / && cat /etc/hosts && mktemp",
    "python": "python3 -c 'import sys, ssl, sqlite3; assert sys.prefix == \"/blaxel/.venv\"'",
    "pip": "pip --version && python -m pip list && pip3 --version",
    "venv": "python3 -m venv --without-pip /tmp/venv && /tmp/venv/bin/python -c 'print(1)'",
}
HOST_TOOLS = {
    "git": "git init -q /tmp/r && cd /tmp/r && git -c user.name=a -c user.email=a commit -qm x "
    "--allow-empty && git log --oneline",
    "node": "node -e 'console.log(process.version, require(\"os\").homedir())'",
    "npm": "npm --version",
}


async def failures(launcher, image, tools):
    """Return the output of the tools that fail in a new sandbox of the image."""
    instance = await launcher.start(LaunchSpec("hub", image, 1024, {}))
    with Agent(launcher.agent_socket(instance)) as agent:
        ran = {tool: agent.run(command) for tool, command in tools.items()}
    await launcher.stop(instance)
    return [(tool, run.output) for tool, run in ran.items() if run.code]


@pytest.mark.exhaustive
async def test_every_tool_works_in_a_new_sandbox(launcher):
    assert await failures(launcher, "blaxel/base-image:latest", TOOLS) == []


# They share the root filesystem, so its programs are not all tried again.
@pytest.mark.parametrize("image", [image.reference for image in images.Hub().all()])
async def test_each_image_on_offer_starts_with_python(launcher, image):
    assert await failures(launcher, image, {"python": TOOLS["python"]}) == []


@pytest.mark.parametrize("tool", HOST_TOOLS)
def test_tools_that_the_host_has_work_inside(agent, tool):
    if shutil.which(tool, path="/usr/bin:/bin:/usr/local/bin") is None:
        pytest.skip(f"there is no {tool} on this machine")

    ran = agent.run(HOST_TOOLS[tool], env={"HOME": "/tmp"})

    assert ran.code == 0, ran.output


@pytest.mark.parametrize(
    "name", ["blaxel/prod-base:latest", "blaxel/prod-base", "blaxel/base-image:latest"]
)
def test_an_image_is_found_with_and_without_its_tag(name):
    image = images.Hub().find(name)

    assert image is not None
    assert image.reference.startswith(name)


@pytest.mark.parametrize("name", ["", "prod-base", "blaxel/none:latest", "blaxel/prod-base:v9"])
def test_an_image_that_is_not_offered_is_not_found(name):
    assert images.Hub().find(name) is None


def test_a_hub_entry_has_the_keys_of_blaxels():
    entry = images.Hub().all()[0].as_hub_entry()

    assert entry.keys() >= {"name", "displayName", "image", "memory", "ports", "coming_soon"}
    assert entry["categories"] == []
    assert entry["ports"] == [{"name": "sandbox-api", "target": 8080, "protocol": "HTTP"}]
