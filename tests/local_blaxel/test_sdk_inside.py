"""The data plane through both of the SDK's classes: files, processes, ports, the sandbox itself."""

import asyncio

import pytest

from tests.support.inner_servers import ECHO
from tests.support.sdk_classes import now, one_class

NOISY = "for n in 1 2 3; do echo out$n; echo err$n >&2; sleep 0.05; done; exit 3"


async def test_files_are_made_read_listed_copied_and_removed(either, tmp_path):
    fs = either.fs
    await now(fs.mkdir("/blaxel/folder"))
    await now(fs.write("/blaxel/folder/a.txt", "åäö\n"))
    await now(fs.write_binary("/blaxel/folder/b.bin", b"\x00\xff"))
    await now(fs.cp("/blaxel/folder/a.txt", "/blaxel/folder/c.txt"))
    await now(fs.rm("/blaxel/folder/a.txt"))
    await now(fs.download("/blaxel/folder/b.bin", str(tmp_path / "b.bin")))

    listed = await now(fs.ls("/blaxel/folder"))

    assert [file.name for file in listed.files] == ["b.bin", "c.txt"]
    assert await now(fs.read("/blaxel/folder/c.txt")) == "åäö\n"
    assert await now(fs.read_binary("/blaxel/folder/b.bin")) == b"\x00\xff"
    assert (tmp_path / "b.bin").read_bytes() == b"\x00\xff"


async def test_large_files_go_in_parts(either):
    data = bytes(range(256)) * 4096 * 11

    await now(either.fs.write_binary("/blaxel/large.bin", data))

    assert await now(either.fs.read_binary("/blaxel/large.bin")) == data


async def test_trees_are_written_and_read(either):
    fs = either.fs
    files = [{"path": "a.py", "content": "# TODO\n"}, {"path": "deep/b.txt", "content": "x\n"}]

    await now(fs.write_tree(files, "/blaxel/tree"))

    tree = await now(fs.read_tree("/blaxel/tree"))
    assert sorted(file.name for file in tree.files) == ["a.py", "b.txt"]
    assert sorted(file.content for file in tree.files) == ["# TODO\n", "x\n"]


async def test_a_missing_file_is_an_error_with_status_and_reason(either):
    from blaxel.core.errors import BlaxelError

    with pytest.raises(BlaxelError, match="no such file") as missing:
        await now(either.fs.read("/blaxel/nothing"))

    assert missing.value.status == 404


async def test_processes_run_are_found_and_end(either):
    process = either.process

    done = await now(process.exec({"command": "echo hi", "wait_for_completion": True}))
    await now(process.exec({"command": "sleep 0.2", "name": "short"}))
    await now(process.exec({"command": "sleep 60", "name": "stopped"}))
    await now(process.exec({"command": "sleep 60", "name": "killed"}))
    waited = await now(process.wait("short"))
    await now(process.stop("stopped"))
    await now(process.kill("killed"))

    assert (done.status.value, done.stdout, done.exit_code) == ("completed", "hi\n", 0)
    assert await now(process.logs(done.pid)) == "hi\n"
    assert waited.status.value == "completed"
    assert (await now(process.get("stopped"))).status.value == "stopped"
    statuses = {each.name: each.status.value for each in await now(process.list())}
    assert statuses["killed"] == "killed"


async def test_standard_input_is_written_and_closed(either):
    await now(either.process.exec({"command": "cat", "name": "cat", "stdin": True}))

    await now(either.process.write_stdin("cat", "hello\n"))
    await now(either.process.close_stdin("cat"))

    assert (await now(either.process.wait("cat"))).exit_code == 0
    assert await now(either.process.logs("cat")) == "hello\n"


async def test_output_is_handed_over_while_the_command_runs(either):
    out, err = [], []
    request = {"command": NOISY, "wait_for_completion": True}

    done = await now(
        either.process.exec(request | {"on_stdout": out.append, "on_stderr": err.append})
    )

    assert (done.status.value, done.exit_code) == ("failed", 3)
    assert "".join(out).split() == ["out1", "out2", "out3"]
    assert "".join(err).split() == ["err1", "err2", "err3"]


async def test_logs_are_followed(either):
    out, err = [], []
    await now(either.process.exec({"command": NOISY, "name": "noisy"}))

    stream = either.process.stream_logs("noisy", {"on_stdout": out.append, "on_stderr": err.append})

    async with asyncio.timeout(60):
        while len(out) < 3 or len(err) < 3:
            await asyncio.sleep(0.05)
    stream["close"]()
    assert (out, err) == (["out1", "out2", "out3"], ["err1", "err2", "err3"])


async def test_what_is_no_process_is_a_404(either):
    from blaxel.core.errors import BlaxelError

    with pytest.raises(BlaxelError, match="process not found") as missing:
        await now(either.process.get("nothing"))

    assert missing.value.status == 404


async def test_a_port_is_fetched(either, server, name):
    server.serve(name, 3000, ECHO)

    by_sandbox = await now(either.fetch(3000, "/a?b=c"))
    by_network = await now(either.network.fetch(3000, "/", method="POST", content="x"))
    silent = await now(either.fetch(3999))

    assert by_sandbox.json()["path"] == "/a?b=c"
    assert by_network.json()["method"] == "POST"
    assert silent.status_code == 502
    assert silent.json()["error"]["code"] == "UPSTREAM_CONNECT_FAILED"


@one_class
async def test_health_and_upgrade_are_answered(either):
    await now(either.system.upgrade())

    assert (await now(either.system.health())).upgrade_count == 1


@one_class
async def test_what_needs_the_cloud_or_a_provider_says_so(either):
    with pytest.raises(Exception, match="codegen tools are not configured"):
        await now(either.codegen.fastapply("a.py", "x = 1"))
    with pytest.raises(Exception, match="codegen tools are not configured"):
        await now(either.codegen.reranking("src", "what"))
    with pytest.raises(Exception, match="no drives; use a volume"):
        await now(either.drives.mount("drive", "/mnt/drive"))
    with pytest.raises(Exception, match="no drives; use a volume"):
        await now(either.drives.unmount("/mnt/drive"))
    assert await now(either.drives.list()) == []
