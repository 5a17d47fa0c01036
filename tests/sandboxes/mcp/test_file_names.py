"""An agent and files of names that are not UTF-8."""

import json

import pytest

from tests.support.odd_names import FOLDER, SHOWN

pytestmark = pytest.mark.data_plane


@pytest.mark.exhaustive
def test_an_agent_reads_writes_and_deletes_by_the_names_that_it_is_told(made, as_agent, odd, run):
    async def work(client):
        listed = await client.call_tool("fsListDirectory", {"path": FOLDER})
        told = [file["path"] for file in json.loads(listed.content[0].text)["directory"]["files"]]
        texts = []
        for path in told:
            read = await client.call_tool("fsReadFile", {"path": path})
            texts.append((path, read.structured_content["content"]))
        for path in told:
            await client.call_tool("fsWriteFile", {"path": path, "content": "new"})
        found = await client.call_tool(
            "codegenFileSearch", {"query": "caftxt", "directory": FOLDER}
        )
        for path in told[1:]:
            await client.call_tool("fsDeleteFileOrDirectory", {"path": path})
        return listed.structured_content, dict(texts), found.structured_content

    listed, texts, found = as_agent(made.owner, work)

    assert {file["name"] for file in listed["directory"]["files"]} == {name for _, name in SHOWN}
    assert texts == {f"{FOLDER}/{name}": str(number) for number, (_, name) in enumerate(SHOWN)}
    assert {"caf%E8.txt", "caf%E9.txt", "caf%25E9.txt"} <= set(found["matches"])
    assert run("cat /blaxel/caf*/*")["stdout"] == "new"


def test_lines_that_are_found_begin_with_the_names_that_are_shown(made, as_agent, odd):
    async def work(client):
        found = await client.call_tool("codegenGrepSearch", {"query": "^[0-9]+$"})
        return found.structured_content["results"].splitlines()

    lines = as_agent(made.owner, work)

    inside = FOLDER.removeprefix("/blaxel/")
    told = {f"{inside}/{name}:1:{number}" for number, (_, name) in enumerate(SHOWN)}
    assert {line for line in told if "\n" not in line} <= set(lines)


def test_an_error_names_the_file(made, as_agent, odd, run):
    """Name it by its bytes, and not by a character that stands for any of them."""
    run("cd /blaxel/caf*; chmod 000 caf*.txt; mkdir denied; chmod 000 denied")
    calls = [
        ("fsReadFile", {"path": f"{FOLDER}/caf%E9.txt"}),
        ("fsReadFile", {"path": f"{FOLDER}/nothing%FF"}),
        ("fsListDirectory", {"path": f"{FOLDER}/denied"}),
        ("fsDeleteFileOrDirectory", {"path": f"{FOLDER}/nothing%FF"}),
        ("fsWriteFile", {"path": f"{FOLDER}/denied/x", "content": "x"}),
        ("fsEditFile", {"path": f"{FOLDER}/nothing%FF", "oldString": "x", "newString": "y"}),
        ("codegenFileSearch", {"query": "x", "directory": f"{FOLDER}/nothing%FF"}),
        ("processExecute", {"command": "true", "workingDir": f"{FOLDER}/nothing%FF"}),
    ]

    async def work(client):
        return [await client.call_tool(*each) for each in calls]

    results = as_agent(made.owner, work)

    wrong = [
        (call, result.content[0].text)
        for call, result in zip(calls, results, strict=True)
        if not result.is_error or (call[1].get("path") or FOLDER) not in result.content[0].text
    ]
    assert wrong == []


def test_a_process_is_shown_to_work_in_a_folder_of_such_a_name(made, as_agent, odd):
    async def work(client):
        command = {"command": "sleep 60", "workingDir": FOLDER, "name": "odd"}
        await client.call_tool("processExecute", command)
        found = await client.call_tool("processGet", {"identifier": "odd"})
        return found.structured_content, json.loads(found.content[0].text)

    told = as_agent(made.owner, work)

    assert [each["workingDir"] for each in told] == [FOLDER, FOLDER]
