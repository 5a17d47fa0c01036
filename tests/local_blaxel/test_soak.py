"""Mixed traffic for a while, most of it broken off: afterwards nothing of it is left.

`pytest tests/local_blaxel/test_soak.py --soak-minutes 5 -s` goes on for longer, and prints the
figures.
"""

import asyncio
import contextlib
import json
import os
import re
import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from websockets.asyncio.client import connect

from tests.support.local_blaxel import KEY, Server
from tests.support.waiting import wait_until

pytestmark = pytest.mark.exhaustive

ROUNDS = 3
BODY = 20 * 2**20
MORE_MEMORY = 16 * 2**20
# asyncio's own, which it starts as they are needed, and the first one.
MAX_THREADS = min(32, (os.cpu_count() or 1) + 4) + 1
SETTLED_SECONDS = 60.0

# On port 3000: more than a socket's buffers hold.
LARGE = f"""
import http.server, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"x" * {BODY})

http.server.ThreadingHTTPServer(("0.0.0.0", int(sys.argv[1])), Handler).serve_forever()
"""


class Held(NamedTuple):
    """Resources that the server and one sandbox's agent hold at one moment."""

    server_files: int
    server_tasks: int
    agent_files: int
    # Of the test's sandboxes on this machine: processes, folders, mounts.
    processes: int
    folders: int
    mounts: int


def files_of(pid: int) -> int:
    """How many files a process has open, not counting the logs of what ran, which have no name."""
    count = 0
    try:
        for fd in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                count += not fd.readlink().name.endswith("(deleted)")
    except PermissionError:
        pytest.skip("only root may look into the agent")
    return count


def status_of(pid: int, field: str) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    found = re.search(rf"^{field}:\s*(\d+)", text, re.MULTILINE)
    assert found
    return int(found[1])


def command_lines() -> Iterator[bytes]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes()
        except OSError:
            continue


class Soak:
    """A server, and a sandbox on it that stays while others come and go."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.stays = server.create()
        server.run(self.stays, "true")
        (claimed,) = server.state_dir.glob("sandboxes/*/claimed")
        known = json.loads(claimed.with_name("processes").read_text())
        self.agent = known["awake"][-1]

    def held(self) -> Held:
        folders = list(self.server.state_dir.glob("sandboxes/*/disk/files/home"))
        instances = [folder.parents[2].name.encode() for folder in folders]
        ours = [line for line in command_lines() if b"local_blaxel.agent" in line]
        return Held(
            files_of(self.server.process.pid),
            self.server.http.get("/health").json()["tasks"],
            files_of(self.agent),
            sum(any(instance in line for instance in instances) for line in ours),
            len(list(self.server.state_dir.glob("sandboxes/*-*"))) + len(folders),
            Path("/proc/mounts").read_text().count(str(self.server.state_dir)),
        )

    def threads(self) -> int:
        return status_of(self.server.process.pid, "Threads")

    def memory(self) -> int:
        return status_of(self.server.process.pid, "VmRSS") * 1024

    def settled(self) -> Held:
        """What is held once everything short-lived has gone: the same twice, a while apart."""
        path = self.server.inside(self.stays, "/process")
        wait_until(lambda: all(p["status"] != "running" for p in self.server.http.get(path).json()))

        def same() -> Held | None:
            before = self.held()
            # Longer than a connection to an agent is kept for the next request.
            time.sleep(5)
            return before if before == self.held() else None

        held: Held = wait_until(same, SETTLED_SECONDS)
        return held

    async def round(self) -> None:
        """Three sandboxes made, used, left and deleted, beside the one that stays."""
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(
            base_url=self.server.url,
            headers={"Authorization": f"Bearer {KEY}"},
            trust_env=False,
            timeout=60,
            limits=limits,
        ) as client:
            made = await asyncio.gather(*(self._create(client) for _ in range(3)))
            await asyncio.gather(*(self._use(client, name) for name in (*made, self.stays)))
            for name in made:
                (await client.delete(f"/v0/sandboxes/{name}")).raise_for_status()
        await asyncio.to_thread(wait_until, self._is_alone, SETTLED_SECONDS)

    def _is_alone(self) -> bool:
        return self.server.names() == [self.stays]

    async def _create(self, client: httpx.AsyncClient) -> str:
        made = await client.post("/v0/sandboxes", json={"spec": {}})
        name: str = made.raise_for_status().json()["metadata"]["name"]
        return name

    async def _use(self, client: httpx.AsyncClient, name: str) -> None:
        inside = f"/manta/sandboxes/{name}"
        await self._serve(client, inside)
        await asyncio.gather(
            *(self._execute(client, inside, number) for number in range(10)),
            *(self._drop_stream(client, inside) for _ in range(3)),
            *(self._drop_websocket(inside + path) for path in ("/terminal/ws", "")),
            self._drop_get(client, f"{inside}/watch/filesystem//blaxel/**", 0),
            self._drop_get(client, f"{inside}/port/3000/", 1),
            self._drop_preview(client, name),
            asyncio.to_thread(self._half_send, f"{inside}/filesystem//blaxel/half"),
            asyncio.to_thread(self._half_send, f"{inside}/port/3000/half"),
        )
        await client.delete(f"{inside}/process/large/kill")

    async def _serve(self, client: httpx.AsyncClient, inside: str) -> None:
        path = f"{inside}/filesystem//blaxel/large.py"
        (await client.put(path, json={"content": LARGE})).raise_for_status()
        body = {"command": "exec python3 large.py 3000", "name": "large", "waitForPorts": [3000]}
        (await client.post(f"{inside}/process", json=body)).raise_for_status()

    async def _execute(self, client: httpx.AsyncClient, inside: str, number: int) -> None:
        body = {"command": f"echo {number}", "waitForCompletion": True}
        answer = await client.post(f"{inside}/process", json=body)
        assert answer.json()["stdout"] == f"{number}\n"

    async def _drop_stream(self, client: httpx.AsyncClient, inside: str) -> None:
        body = {"command": "yes | head -c 10000000; sleep 0.5"}
        headers = {"Accept": "text/event-stream"}
        async with client.stream("POST", f"{inside}/process", json=body, headers=headers) as said:
            await anext(said.aiter_bytes())

    async def _drop_get(self, client: httpx.AsyncClient, path: str, chunks: int) -> None:
        async with client.stream("GET", path) as answer:
            assert answer.status_code == 200
            await _first(answer.aiter_bytes(), chunks)

    async def _drop_preview(self, client: httpx.AsyncClient, name: str) -> None:
        spec = {"metadata": {"name": "seen"}, "spec": {"port": 3000, "public": True}}
        made = await client.post(f"/v0/sandboxes/{name}/previews", json=spec)
        if made.status_code == 409:
            made = await client.get(f"/v0/sandboxes/{name}/previews/seen")
        await self._drop_get(client, made.json()["spec"]["url"], 1)

    async def _drop_websocket(self, path: str) -> None:
        url = f"{self.server.url.replace('http', 'ws', 1)}{path}?token={KEY}"
        socket = await connect(url, proxy=None)
        await socket.send(json.dumps({"type": "input", "data": "sleep 1 & yes | head -c 300000\r"}))
        await socket.recv()
        socket.transport.abort()

    def _half_send(self, path: str) -> None:
        head = f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {KEY}\r\n"
        head += "Content-Length: 1000000\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n"
        with socket.create_connection(("127.0.0.1", self.server.port)) as line:
            line.sendall(head.encode() + b"--b\r\n" + b"x" * 1000)


async def _first(chunks: AsyncIterator[bytes], count: int) -> None:
    for _ in range(count):
        await anext(chunks)


@pytest.fixture
def soak() -> Iterator[Soak]:
    server = Server()
    yield Soak(server)
    server.clear_away()


def goes_on(request: pytest.FixtureRequest) -> Iterator[int]:
    """The number of each round that is due: a few, or as many as fit into the time asked for."""
    ends = time.monotonic() + 60 * request.config.getoption("soak_minutes", 0.0)
    number = 0
    while number < ROUNDS or time.monotonic() < ends:
        number += 1
        yield number


# As long as was asked for; every wait in it has an end of its own.
@pytest.mark.timeout(0)
def test_nothing_is_left_of_traffic_that_breaks_off(soak, request):
    asyncio.run(soak.round())
    before, memory = soak.settled(), soak.memory()
    print(f"\nafter a first round: {before}, {memory >> 20} MB")

    for number in goes_on(request):
        asyncio.run(soak.round())
        print(f"round {number}: {soak.held()}, {soak.memory() >> 20} MB")
    after = soak.settled()
    print(f"settled: {after}, {soak.memory() >> 20} MB")

    assert after == before
    assert soak.threads() <= MAX_THREADS
    assert soak.memory() <= memory + MORE_MEMORY
