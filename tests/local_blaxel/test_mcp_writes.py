"""The content of a file stays until its new content is whole, with every tool that writes one."""

from functools import partial

import pytest

from local_blaxel.mcp.protocol import BENEATH

# A file system of its own that is soon full.
FULL = "/dev/shm"
OLD, NEW = "o" * 300_000, "n" * 900_000
STATE = "stat -c '%n %a %h %u' *; sha256sum < kept; ls -A"
MAKE = "cd {}; chmod 640 kept; ln -s kept link; printf 1 > hard; ln hard twin; chmod 750 hard"


@pytest.fixture(scope="module")
def writing(server):
    """A sandbox whose file system for temporary files is filled and emptied again."""
    made = server.create()
    yield made
    server.http.delete(f"/v0/sandboxes/{made}")


@pytest.fixture
def run(server, writing):
    def run(command):
        ran = server.run(writing, command)
        assert ran["exitCode"] == 0, ran["stderr"]
        return ran["stdout"]

    return run


@pytest.fixture
def folder(server, writing, run):
    """A folder where something is kept under several names."""
    path = run(f"mktemp -d {FULL}/XXXXXX").strip()
    kept = server.inside(writing, f"/filesystem/{path}/kept")
    server.http.put(kept, json={"content": OLD}).raise_for_status()
    run(MAKE.format(path))
    yield path
    run(f"rm -rf {path} {FULL}/fill")


@pytest.fixture
def call(server, writing):
    """Call a tool; the result of it, which may be an error."""

    def call(tool, beneath, **arguments):
        params = {"name": tool, "arguments": arguments}
        params |= {"_meta": {BENEATH: beneath}} if beneath else {}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        answer = server.http.post(server.inside(writing, "/mcp"), json=message)
        return answer.json()["result"]

    return call


def write(call, path, beneath, **options):
    return call("fsWriteFile", beneath, path=path, content=NEW, **options)


def edit(call, path, beneath):
    """Replace the first letter, which every file here has, with much more."""
    return call("fsEditFile", beneath, path=path, oldString=BEGINNING[path[-4:]], newString=NEW)


BEGINNING = {"kept": OLD, "link": OLD, "hard": "1"}
WAYS = {"write": write, "write-with-mode": partial(write, permissions="0600"), "edit": edit}
EACH_WAY = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
# A connection's tools may be held to a folder; the agent has another way for that.
EITHER = pytest.mark.parametrize("is_held", [False, True], ids=["free", "held"])


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["kept", "link", "hard"])
@EITHER
@EACH_WAY
def test_a_tool_says_that_the_disk_is_full_and_leaves_the_file(
    call, run, folder, way, is_held, name
):
    run(f"head -c 1G /dev/zero > {FULL}/fill || true")
    before = run(f"cd {folder}; {STATE}")

    result = way(call, f"{folder}/{name}", folder if is_held else "")

    assert result["isError"] is True
    assert "no space left on device" in result["content"][0]["text"]
    assert run(f"cd {folder}; {STATE}") == before


@EITHER
def test_a_tool_leaves_nothing_of_a_new_file_that_does_not_fit(call, run, folder, is_held):
    run(f"head -c 1G /dev/zero > {FULL}/fill || true")
    before = run(f"cd {folder}; {STATE}")

    result = write(call, f"{folder}/new", folder if is_held else "")

    assert result["isError"] is True
    assert run(f"cd {folder}; {STATE}") == before


@EITHER
@EACH_WAY
def test_a_tool_that_writes_keeps_mode_and_links(call, run, folder, way, is_held):
    names = ("link", "hard")

    results = [way(call, f"{folder}/{name}", folder if is_held else "") for name in names]

    assert not any("isError" in result for result in results), results
    found = run(f"cd {folder}; stat -c '%n %a %h %s' *").splitlines()
    kept, hard = ("600", "600") if way is WAYS["write-with-mode"] else ("640", "750")
    assert found == [
        f"hard {hard} 2 {len(NEW)}",
        f"kept {kept} 1 {len(NEW)}",
        "link 777 1 4",
        f"twin {hard} 2 {len(NEW)}",
    ]
