"""Permissions of an agent, tried by a real agent at a real sandbox."""

import re
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone
from mcp.shared.exceptions import MCPError

from accounts import agent_permissions
from accounts.models import PersonalToken
from manta.core.database import run_in_db_thread
from sandboxes import data_plane
from sandboxes.data_plane import git_scan
from sandboxes.mcp import permissions
from sandboxes.services import file_moves, processes


@pytest.fixture
def as_limited(made, as_agent):
    """Do something as an agent with these permissions."""

    def as_limited(work, **permissions):
        async def limited(client):
            token = await run_in_db_thread(PersonalToken.objects.get)
            issue = partial(agent_permissions.issue, user=made.owner, key=token.key, **permissions)
            await run_in_db_thread(issue)
            return await work(client)

        return as_agent(made.owner, limited)

    return as_limited


def call(name, **arguments):
    async def work(client):
        return await client.call_tool(name, arguments)

    return work


async def names(client):
    return {tool.name for tool in (await client.list_tools()).tools}


def test_only_what_it_allows_is_listed(as_limited):
    listed = as_limited(names, capabilities=["read"])

    assert listed >= {"fsReadFile", "codegenGrepSearch", "sandboxStatus"}
    assert not listed & {"fsWriteFile", "processExecute", "sandboxRestart", "sandboxPreviewUrl"}


def test_the_rest_is_refused_and_says_what_is_missing_and_where(as_limited):
    write = call("fsWriteFile", path="/blaxel/x", content="x")

    refused = as_limited(write, capabilities=["read"])

    assert refused.is_error
    assert "“write and delete files”" in refused.content[0].text
    assert re.search(r"/account/agents/[0-9a-f]{16}/permissions/", refused.content[0].text)
    assert "permission_denied" in refused.content[0].text


def test_a_tool_that_manta_does_not_know_needs_everything(as_limited):
    refused = as_limited(call("danceTheTango"), capabilities=["read", "write", "run"])

    assert refused.is_error and "permission_denied" in refused.content[0].text


def test_one_that_has_ended_allows_nothing(as_limited):
    ended = timezone.now() - timedelta(minutes=1)

    refused = as_limited(call("sandboxStatus"), capabilities=["read"], expires_at=ended)

    assert refused.is_error and "have expired" in refused.content[0].text


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("fsReadFile", {"path": "/blaxel/app/x", "Path": "/etc/passwd"}),
        ("fsWriteFile", {"PATH": "/blaxel/x", "content": "x"}),
        ("codegenReadFileRange", {"targetFile": "/blaxel/app/x", "targetfile": "/x"}),
        (
            "codegenParallelApply",
            {"editRegions": [{"relativeWorkspacePath": "x", "RelativeWorkspacePath": "/x"}]},
        ),
        ("processExecute", {"command": "echo @", "Name": "manta-snapshot"}),
        ("processStop", {"identi\ufb01er": "manta-snapshot"}),
        ("processExecute", {"command": "pwd", "wor\u212aingDir": "/"}),
    ],
)
def test_an_argument_is_not_read_in_another_case_than_it_is_checked(tool, arguments):
    assert permissions.misspelt(tool, arguments) is not None


def test_arguments_of_other_names_pass():
    arguments = {"command": "echo $NAME", "env": {"NAME": "x", "PATH": "/bin"}, "name": "fine"}

    assert permissions.misspelt("processExecute", arguments) is None


def test_a_path_in_another_case_is_refused(as_limited):
    async def read(client):
        with pytest.raises(MCPError, match="no argument “Path”"):
            await call("fsReadFile", path="/blaxel/app", Path="/etc/passwd")(client)

    as_limited(read, capabilities=["read"], path_prefix="/blaxel/app")


@pytest.mark.parametrize("name", ["caf%E9", "no\u00a0break", "👩\u200d🚀", "a 100%"])
def test_a_folder_of_any_name_can_be_the_limit(as_limited, made, name):
    folder = f"/blaxel/{name}"
    data_plane.files.make_folder(made.reach, folder)

    async def work(client):
        inside = {"path": f"{folder}/a", "content": "x"}
        written = await client.call_tool("fsWriteFile", inside)
        read = await client.call_tool("fsReadFile", {"path": f"{folder}/a"})
        outside = await client.call_tool("fsReadFile", {"path": "/etc/passwd"})
        return written.is_error, read.structured_content["content"], outside.is_error

    limits = {"capabilities": ["read", "write"], "path_prefix": folder}

    assert as_limited(work, **limits) == (False, "x", True)


def test_a_home_that_is_shut_stops_no_agent_elsewhere(as_limited, made):
    data_plane.processes.run(made.reach, "mkdir -p /srv/a; chmod 000 /blaxel", 5)

    async def work(client):
        told = await client.call_tool("fsGetWorkingDirectory", {})
        wrote = await client.call_tool("fsWriteFile", {"path": "/srv/a/x", "content": "x"})
        read = await client.call_tool("fsReadFile", {"path": "/srv/a/x"})
        return told, wrote, read

    limits = {"capabilities": ["read", "write"], "path_prefix": "/srv/a"}
    told, wrote, read = as_limited(work, **limits)
    data_plane.processes.run(made.reach, "chmod 755 /blaxel", 5)

    assert told.structured_content == {"path": "/blaxel"}
    assert not wrote.is_error, wrote.content
    assert read.structured_content["content"] == "x"


OUTSIDE_THE_PREFIX = [
    ("fsReadFile", {"path": "/etc/passwd"}),
    ("fsReadFile", {"path": "/blaxel/app/../secret"}),
    ("fsReadFile", {"path": "//blaxel/secret"}),
    ("fsReadFile", {"path": "../../etc/passwd"}),
    ("fsReadFile", {"path": "secret"}),
    ("fsReadFile", {"path": "~/secret"}),
    ("fsListDirectory", {"path": "/blaxel/application"}),
    ("fsReadFile", {"path": "/blaxel/app/out/secret"}),
    ("fsWriteFile", {"path": "/blaxel/app/out/new", "content": "x"}),
    ("codegenGrepSearch", {"query": "x"}),
    ("codegenFileSearch", {"query": "x"}),
    ("codegenFileSearch", {"query": "x", "directory": "/"}),
    ("codegenCodebaseSearch", {"query": "x", "targetDirectories": ["app", ".."]}),
    (
        "codegenParallelApply",
        {"editPlan": "x", "editRegions": [{"relativeWorkspacePath": "secret"}]},
    ),
]


def test_a_prefix_holds_every_path(as_limited, made, provider):
    http, inside = provider.server.http, provider.server.inside
    put = {"content": "hidden"}
    http.put(inside(made.name, "/filesystem//blaxel/secret"), json=put).raise_for_status()
    link = {"command": "ln -sfn /blaxel /blaxel/app/out", "waitForCompletion": True}
    http.post(inside(made.name, "/process"), json=link).raise_for_status()

    async def call_all(client):
        return [await client.call_tool(tool, arguments) for tool, arguments in OUTSIDE_THE_PREFIX]

    results = as_limited(call_all, capabilities=["read", "write"], path_prefix="/blaxel/app")

    let_through = [
        (call, result.content)
        for call, result in zip(OUTSIDE_THE_PREFIX, results, strict=True)
        if not (result.is_error and "permission_denied" in result.content[0].text)
    ]
    assert let_through == []


def test_what_is_below_it_is_read_and_written(as_limited):
    async def work(client):
        await client.call_tool("fsWriteFile", {"path": "app/it's new", "content": "x"})
        return await client.call_tool("fsReadFile", {"path": "/blaxel/app/./it's new"})

    result = as_limited(work, capabilities=["read", "write"], path_prefix="/blaxel/app")

    assert not result.is_error, result.content
    assert result.structured_content["content"] == "x"


# What Manta and the sandbox's server might look for by name, each in place of the real one.
PROGRAMS = ("realpath", "grep", "sh", "env", "git", "mv", "find", "stat", "cat", "rm", "timeout")
FOLDERS = ("/blaxel/.venv/bin", "/usr/local/bin", "/usr/bin", "/usr/sbin")
LEAVES_A_TRACE = '#!/blaxel/shell\necho "$0" >> /blaxel/ran\n'


@pytest.mark.exhaustive
def test_no_file_of_an_agent_is_run_on_mantas_behalf(as_limited, made, provider):
    # A repository names programs, too: its filter and its monitor are the agent's.
    repository = (
        "git init -q r && cd r && echo '* filter=f' >.gitattributes && echo x >a && git add a"
    )
    prepared = f"cp /bin/sh shell; {repository}; touch -d yesterday a"
    provider.server.run(made.name, prepared, workingDir="/blaxel")
    hostile = '[filter "f"]\n\tclean = /blaxel/.venv/bin/cat\n\trequired = true\n'
    hostile += "[core]\n\tfsmonitor = /blaxel/.venv/bin/cat\n"
    planted = [{"path": "/blaxel/r/.git/config", "content": hostile}] + [
        {"path": f"{folder}/{name}", "content": LEAVES_A_TRACE, "permissions": "0755"}
        for folder in FOLDERS
        for name in PROGRAMS
    ]
    uses = [
        ("codegenGrepSearch", {"query": "x"}),
        ("fsReadFile", {"path": "/blaxel/app/README.md"}),
    ]

    async def attack(client):
        for each in planted:
            # What is not the sandbox's own is replaced by deleting it first.
            await client.call_tool("fsDeleteFileOrDirectory", {"path": each["path"]})
        done = [await client.call_tool("fsWriteFile", each) for each in planted]
        return done + [await client.call_tool(*each) for each in uses]

    results = as_limited(attack, capabilities=["read", "write"])
    processes.list_processes(sandbox=made)
    data_plane.listening.list_listening(made.reach)
    found, problem = git_scan.look(made.reach)
    source, moved = "/blaxel/app/README.md", "/blaxel/app/moved"
    file_moves.move_path(sandbox=made, source=source, destination=moved)
    file_moves.delete_path(sandbox=made, path=moved)

    assert [result.content for result in results if result.is_error] == []
    assert [each["folder"] for each in found] == ["/blaxel/r"] and problem == ""
    ran = provider.server.http.get(provider.server.inside(made.name, "/filesystem//blaxel/ran"))
    assert ran.status_code == 404, ran.text
