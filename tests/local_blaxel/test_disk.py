"""The limit of the files of a sandbox, with the server run as root and as an ordinary user."""

import os
from pathlib import Path

import pytest

from tests.support.local_blaxel import Server
from tests.support.waiting import wait_until

MB = 2**20
# All but 48 MB of the disk.
MOST = 976 * MB
FILL = "n=0; while head -c 1M /dev/zero > /blaxel/fill-$0-$n; do n=$((n+1)); done"
FILL_UNSEEN = "exec 3> {0}/unseen; rm {0}/unseen; head -c 3G /dev/zero >&3"
# Of the sandbox's own, over its image, and over a folder of the machine's.
FOLDERS = ["/blaxel", "/srv", "/usr/local/lib"]
# Neither writes: no limit on what a file may hold stops them.
STUBBORN = {
    "empty files": "n=0; while :; do : > /data/empty-$((n+=1)); done",
    "a sparse file through memory": """python3 -c '
import mmap, os, time
fd = os.open("/data/sparse", os.O_RDWR | os.O_CREAT)
os.ftruncate(fd, 1 << 30)
memory = mmap.mmap(fd, 1 << 30)
for page in range(0, 1 << 30, 4096):
    memory[page] = 1
    page % (1 << 20) or time.sleep(0.02)'""",
}


def stored(server: Server) -> int:
    """Bytes that all sandboxes of the server hold on disk, seen from outside."""
    files = (Path(folder, name) for folder, _, names in os.walk(server.state_dir) for name in names)
    return sum(file.lstat().st_blocks * 512 for file in files)


def write(server: Server, name: str, path: str):
    return server.http.put(server.inside(name, f"/filesystem/{path}"), json={"content": "x"})


def ended(server: Server, name: str, process: str):
    said = server.http.get(server.inside(name, f"/process/{process}")).json()
    return said if said["status"] != "running" else None


@pytest.fixture
def box(any_server: Server):
    """A sandbox with a disk of 1 GiB, most of which is in use."""
    made = any_server.create(runtime={"memory": 2048})
    any_server.run(made, "touch /blaxel/most")
    (most,) = any_server.state_dir.glob("sandboxes/[0-9a-f]*/disk/files/home/most")
    # At once, from outside, where no call is refused.
    with most.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, MOST)
    yield made
    any_server.delete(made)


def test_a_disk_filler_is_stopped_and_all_works_again_once_space_is_freed(any_server, box):
    other, before = any_server.create(), stored(any_server)
    for filler in ("a", "b", "c"):
        command = f"bash -c '{FILL}' {filler}"
        any_server.run(box, command, name=filler, waitForCompletion=False, keepAlive=True)

    fillers = [
        wait_until(lambda name=name: ended(any_server, box, name), 60) for name in ("a", "b", "c")
    ]
    grown = stored(any_server) - before
    refused = write(any_server, box, "/blaxel/x")
    read = any_server.http.get(any_server.inside(box, "/filesystem//blaxel"))
    beside = any_server.run(other, "echo fine > /blaxel/x; cat /blaxel/x")
    removed = any_server.run(box, "rm /blaxel/fill-*")

    assert all("File too large" in filler["logs"] for filler in fillers)
    assert 40 * MB < grown < 400 * MB
    assert (refused.status_code, read.status_code) == (422, 200)
    assert "no space left on device" in refused.json()["error"]
    assert beside["stdout"] == "fine\n"
    assert removed["exitCode"] == 0
    assert write(any_server, box, "/blaxel/x").status_code == 200
    assert wait_until(lambda: any_server.run(box, "echo y > /blaxel/y")["exitCode"] == 0)
    any_server.delete(other)


def test_no_space_is_taken_without_writing_it(any_server, box):
    emulated = """python3 -c '
import os
fd = os.open("/blaxel/small", os.O_RDWR | os.O_CREAT)
os.posix_fallocate(fd, 0, 1 << 20)
print(os.stat(fd).st_blocks // 2)'"""

    taken = any_server.run(box, "fallocate -l 3G /blaxel/all; stat -c %b /blaxel/all")
    small = any_server.run(box, emulated)
    punched = any_server.run(box, "fallocate -p -o 0 -l 512K /blaxel/small")

    assert taken["stdout"] == "0\n" and "not supported" in taken["stderr"]
    assert small["stdout"] == "1024\n", small
    assert punched["exitCode"] == 0, punched


@pytest.fixture
def crowded():
    """A server on a machine with less free space than it is to leave."""
    server = Server(LOCAL_BLAXEL_DISK_RESERVE="999999999")
    yield server
    server.clear_away()


@pytest.mark.exhaustive
def test_sandboxes_leave_what_is_reserved_on_the_machines_disk(crowded):
    name = crowded.create()

    refused = wait_until(lambda: crowded.run(name, "echo x > /blaxel/x")["exitCode"])
    by_api = write(crowded, name, "/blaxel/y")
    read = crowded.http.get(crowded.inside(name, "/filesystem//blaxel"))

    assert refused and by_api.status_code == 422 and read.status_code == 200
    assert "no space left" in by_api.json()["error"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_is_written_anywhere_counts(any_server, box, folder):
    before = stored(any_server)

    ran = any_server.run(box, f"head -c 3G /dev/zero > {folder}/x", timeout=60)
    grown = stored(any_server) - before
    removed = any_server.run(box, f"rm {folder}/x")["exitCode"]

    assert "File too large" in ran["logs"]
    assert 40 * MB < grown < 400 * MB
    assert removed == 0
    assert wait_until(lambda: any_server.run(box, "echo y > /srv/y")["exitCode"] == 0)


@pytest.mark.exhaustive
@pytest.mark.parametrize("folder", FOLDERS)
def test_what_has_no_name_any_more_counts_too(any_server, box, folder):
    before = stored(any_server)

    ran = any_server.run(box, FILL_UNSEEN.format(folder), timeout=60)

    assert "File too large" in ran["logs"]
    assert stored(any_server) - before < 40 * MB
    assert wait_until(lambda: any_server.run(box, "echo y > /blaxel/y")["exitCode"] == 0)


def test_files_are_deleted_through_the_api_while_the_disk_is_full(any_server):
    name = with_scratch(any_server)
    wait_until(lambda: any_server.run(name, "head -c 1M /dev/zero >> /data/full")["exitCode"], 60)

    written = write(any_server, name, "/blaxel/x").status_code
    deleted = any_server.http.delete(any_server.inside(name, "/filesystem//data/full")).status_code

    assert (written, deleted) == (422, 200)
    assert write(any_server, name, "/blaxel/x").status_code == 200
    any_server.delete(name)


@pytest.mark.exhaustive
def test_a_shell_goes_on_while_the_disk_is_full(any_server):
    name = with_scratch(any_server)
    wait_until(lambda: any_server.run(name, "head -c 1M /dev/zero >> /data/full")["exitCode"], 60)

    ran = any_server.run(name, "echo x > /blaxel/x; yes | head -c 100000 | wc -c; rm /data/full")

    assert ran["stdout"] == "100000\n"
    assert ran["exitCode"] == 0
    any_server.delete(name)


@pytest.mark.parametrize(
    "filler",
    [
        "a sparse file through memory",
        pytest.param("empty files", marks=pytest.mark.exhaustive),
    ],
)
def test_who_fills_the_disk_without_writing_is_killed(any_server, filler):
    name = with_scratch(any_server)
    any_server.run(name, STUBBORN[filler], name="stubborn", waitForCompletion=False, keepAlive=True)

    stubborn = wait_until(lambda: ended(any_server, name, "stubborn"), 60)

    assert "the sandbox's disk is full" in stubborn["stderr"]
    assert any_server.run(name, "find /data -type f -delete")["exitCode"] == 0
    assert wait_until(lambda: any_server.run(name, "echo y > /data/y")["exitCode"] == 0)
    any_server.delete(name)


def with_scratch(server: Server) -> str:
    """A sandbox with 16 MB at /data."""
    scratch = {"name": "s", "type": "ephemeral", "sizeMb": 16, "mountPath": "/data"}
    return server.create(volumes=[scratch])


def test_an_upload_larger_than_what_is_free_is_refused(any_server, box):
    def parts():
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
        yield from [b"x" * MB] * 100
        yield b"\r\n--b--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    url = any_server.inside(box, "/filesystem//blaxel/large")

    def refused():
        answer = any_server.http.put(url, content=parts(), headers=headers)
        if answer.is_success:  # the disk had not been measured since it was filled
            any_server.http.delete(url).raise_for_status()
        return answer if answer.is_error else None

    refused = wait_until(refused)

    assert refused.status_code == 422
    assert "no space left on device" in refused.json()["error"]
    assert any_server.http.get(url).status_code == 404


@pytest.mark.exhaustive
def test_a_volume_holds_what_its_size_says_and_more_once_it_has_grown(any_server):
    sized = {"metadata": {"name": "grows"}, "spec": {"size": 8}}
    any_server.http.post("/v0/volumes", json=sized).raise_for_status()
    name = any_server.create(volumes=[{"name": "grows", "mountPath": "/data"}])
    append = "head -c 256K /dev/zero >> /data/file"
    wait_until(lambda: any_server.run(name, append)["exitCode"], 60)
    held = int(any_server.run(name, "stat -c %s /data/file")["stdout"])

    any_server.http.put("/v0/volumes/grows", json={"spec": {"size": 64}}).raise_for_status()

    assert 7 * MB < held < 64 * MB
    assert wait_until(lambda: any_server.run(name, append)["exitCode"] == 0)
    any_server.delete(name)
    assert any_server.http.delete("/v0/volumes/grows").status_code == 200
