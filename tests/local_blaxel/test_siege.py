"""While one sandbox runs wild, the server, its neighbours and its own API go on answering."""

import contextlib
import json
import os
import re
import socket
from pathlib import Path

import httpx
import pytest

from tests.support.local_blaxel import KEY, Server
from tests.support.waiting import wait_until

pytestmark = pytest.mark.exhaustive

MB = 2**20
WILD = {
    "a memory bomb": """
for i in 1 2 3 4 5 6; do
  python3 -c 'import time; held = b"x" * (400 << 20); time.sleep(600)' &
done
wait; sleep 600""",
    "a fork bomb": """python3 -c '
import os, time
while True:
    try:
        os.fork() or os.setsid() or time.sleep(600)
    except BlockingIOError:
        time.sleep(0.01)'""",
    "a disk filler": """
for i in 1 2 3; do
  (while :; do head -c 1M /dev/zero >> /data/fill-$i; done) &
done
wait""",
    "a flood of log lines": "for i in 1 2 3; do yes 'a line that nobody reads' & done; wait",
}


@pytest.mark.parametrize("what", WILD)
def test_everybody_is_answered_during(any_server: Server, what: str):
    scratch = {"name": "s", "type": "ephemeral", "sizeMb": 64, "mountPath": "/data"}
    wild, other = (
        any_server.create(runtime={"memory": 1024}, volumes=[scratch]),
        any_server.create(),
    )
    any_server.run(other, "echo here > /blaxel/file")
    any_server.run(wild, WILD[what], name="wild", waitForCompletion=False, keepAlive=True)

    statuses = [asked(any_server, wild, other) for _ in range(10)]
    killed = any_server.http.delete(any_server.inside(wild, "/process/wild/kill"))
    any_server.run(wild, "exec pkill -9 -f 'os.fork|held|head|yes'")

    assert statuses == [[200] * 5] * 10
    assert killed.status_code == 200
    assert wait_until(
        lambda: any_server.run(wild, "rm -f /data/*; echo y | cat")["stdout"] == "y\n"
    )
    any_server.delete(wild)
    any_server.delete(other)


def asked(server: Server, wild: str, other: str) -> list[int]:
    """The statuses of five answers; each of them within the client's minute."""
    body = {"command": "cat /blaxel/file", "waitForCompletion": True}
    answers = [
        server.http.get("/health"),
        server.http.post(server.inside(other, "/process"), json=body),
        server.http.get(server.inside(other, "/filesystem//blaxel/file")),
        server.http.get(server.inside(wild, "/process")),
        server.http.get(server.inside(wild, "/filesystem//blaxel")),
    ]
    assert answers[1].json()["stdout"] == "here\n"
    return [answer.status_code for answer in answers]


def memory_of(pid: int) -> int:
    found = re.search(r"VmRSS:\s*(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) * 1024


def logs_of(pid: int) -> int:
    """What an agent keeps in files without a name."""
    kept = 0
    try:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            # The agent goes on opening and closing files meanwhile.
            with contextlib.suppress(FileNotFoundError):
                info = os.stat(f"/proc/{pid}/fd/{fd}")
                kept += info.st_blocks * 512 if info.st_nlink == 0 else 0
    except PermissionError:
        pytest.skip("only root may look into the agent")
    return kept


def claimed_by(server: Server) -> list[Path]:
    return list(server.state_dir.glob("sandboxes/*/claimed"))


def never_read(server: Server, path: str) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", server.port))
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {KEY}\r\n\r\n"
    line.sendall(head.encode())
    return line


def test_a_flood_of_lines_is_kept_to_its_newest_part_whoever_reads_it(own_server: Server):
    name = own_server.create()
    # What an earlier test deleted may still be on its way out.
    wait_until(lambda: len(claimed_by(own_server)) == 1)
    (claimed,) = claimed_by(own_server)
    agent = json.loads(claimed.with_name("processes").read_text())["awake"][-1]
    flood = "exec yes 'one more line'"
    own_server.run(name, flood, name="flood", waitForCompletion=False, keepAlive=True)
    stream = own_server.inside(name, "/process/flood/logs/stream")

    slow = [never_read(own_server, stream) for _ in range(5)]
    quick = httpx.stream("GET", own_server.url + stream, headers=own_server.http.headers)
    with quick as said:
        taken = 0
        for chunk in said.iter_bytes():
            taken += len(chunk)
            if taken > 200 * MB:
                break
    kept, memories = logs_of(agent), [memory_of(own_server.process.pid), memory_of(agent)]
    [line.close() for line in slow]
    killed = own_server.http.delete(own_server.inside(name, "/process/flood/kill"))

    assert kept < 160 * MB
    assert max(memories) < 200 * MB
    assert killed.status_code == 200
    assert own_server.run(name, "echo fine")["stdout"] == "fine\n"
