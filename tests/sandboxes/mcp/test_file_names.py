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


def test_a_process_is_shown_to_work_in_a_folder_of_such_a_name(made, as_agent, odd):
    async def work(client):
        command = {"command": "sleep 60", "workingDir": FOLDER, "name": "odd"}
        await client.call_tool("processExecute", command)
        found = await client.call_tool("processGet", {"identifier": "odd"})
        return found.structured_content, json.loads(found.content[0].text)

    told = as_agent(made.owner, work)

    assert [each["workingDir"] for each in told] == [FOLDER, FOLDER]
