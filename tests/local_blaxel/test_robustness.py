"""Clients that make mistakes, vanish or ask for too much: right answers, and nothing left open."""

import asyncio
import json
import os
import socket
from pathlib import Path

import httpx
import pytest

from tests.support.launcher_host import Agent
from tests.support.local_blaxel import KEY
from tests.support.waiting import wait_until

BODIES = ["POST /process", "PUT /filesystem//tmp/x", "PUT /filesystem/tree//tmp/x"]
BODIES += ["POST /filesystem-copy", "POST /filesystem-multipart/initiate//tmp/x"]


@pytest.mark.parametrize("route", BODIES)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b"0" * 10 * 2**20])
def test_what_is_no_json_object_is_a_400_everywhere(agent, route, body):
    answer = agent.request(*route.split(), content=body)

    assert answer.status_code == 400
    assert answer.json().keys() == {"error"}


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("PUT /filesystem//tmp/x", {"content": 5}),
        ("PUT /filesystem//tmp/x", {"content": "", "permissions": 644}),
        ("PUT /filesystem//tmp/x", {"isDirectory": "yes"}),
        ("PUT /filesystem/tree//tmp/x", {"files": ["a"]}),
        ("PUT /filesystem/tree//tmp/x", {"files": {"a": None}}),
        ("PUT /filesystem/tree//tmp/x", {"files": {"a\0b": ""}}),
        ("POST /filesystem-copy", {"source": ["/tmp"], "destination": "/tmp"}),
        ("POST /filesystem-copy", {"source": "/tmp", "destination": "/x", "noOverwrite": 1}),
        ("POST /filesystem-multipart/initiate//tmp/x", {"permissions": "9"}),
    ],
)
def test_a_value_of_the_wrong_type_is_a_400(agent, route, body):
    answer = agent.request(*route.split(), json=body)

    assert answer.status_code == 400


PATHS = [
    ("%2e%2e%2f%2e%2e%2fetc", "/etc"),
    ("..%2F..%2Fetc", "/blaxel/etc"),
    ("%2Ftmp%2F..%2Fetc", "/etc"),
    ("/tmp/../../../etc", "/etc"),
    ("/tmp/%2e%2e/%2E%2E/etc", "/etc"),
    ("/tmp/././/../etc", "/etc"),
]


@pytest.mark.exhaustive
@pytest.mark.parametrize("wire", [wire for wire, _ in PATHS])
@pytest.mark.parametrize("route", ["filesystem", "filesystem-find", "filesystem-content-search"])
def test_no_spelling_of_a_path_leaves_the_sandbox(agent, route, wire):
    raw = f"/{route}/{wire}?query=root&patterns=shadow&maxResults=0".encode()

    answer = agent.get(httpx.URL("http://sandbox").copy_with(raw_path=raw))

    assert answer.status_code in (200, 404)
    assert "shadow" not in answer.text
    assert "root:$" not in answer.text


@pytest.mark.parametrize("route", ["filesystem-find", "filesystem-search", "watch/filesystem"])
def test_a_nul_is_refused_and_bytes_that_are_no_text_are_a_name(agent, folder, route):
    agent.run(f"mkdir {folder}/$'\\xff'", env={"SHELL": "bash"})

    assert agent.get(f"/{route}/{folder}/a%00b").status_code == 400
    with agent.stream("GET", f"/{route}/{folder}/%FF") as answer:
        assert answer.status_code == 200


@pytest.mark.parametrize(("length", "status"), [(50, 200), (255, 200), (256, 422)])
def test_long_names_work_up_to_what_the_system_allows(agent, folder, length, status):
    answer = agent.put(f"/filesystem/{folder}/{'n' * length}", json={"content": ""})

    assert answer.status_code == status


def test_a_process_may_have_a_name_of_50_characters(agent):
    assert agent.execute("true", name="n" * 50).json()["name"] == "n" * 50
    assert agent.get(f"/process/{'n' * 50}").status_code == 200


def test_a_body_of_ten_megabytes_passes_through_the_edge(server, name):
    content = "x" * 10 * 2**20

    server.http.put(server.inside(name, "/filesystem//blaxel/ten"), json={"content": content})

    assert server.run(name, "wc -c < /blaxel/ten")["stdout"] == f"{len(content)}\n"


def raw_answer(server, method, path):
    """Ask for a path exactly as it is written; the status, and the body."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {KEY}\r\n"
    head += "Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as line:
        line.sendall(head.encode())
        answer = b"".join(iter(lambda: line.recv(2**16), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


ODD_NAMES = ["%00", "%ff", "%C0%AE%C0%AE", "..", "%2e%2e", "..%2f..%2fetc", "n" * 50, "n" * 20_000]
PLACES = [
    *("/v0/sandboxes/{}", "/v0/sandboxes/{}/previews/{}/tokens/{}", "/v0/volumes/{}"),
    *("/v0/snapshots/{}", "/v0/images/sandbox/{}", "/v0/sandboxes/by-external-id/{}"),
    *("/manta/sandboxes/{}/process", "/{}/sandboxes/x/health", "/preview/{}/x"),
]


@pytest.mark.exhaustive
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("place", PLACES)
def test_a_name_that_is_none_is_a_404_in_json_everywhere(server, place, method):
    answers = [raw_answer(server, method, place.replace("{}", name)) for name in ODD_NAMES]

    assert {status for status, _ in answers} <= {400, 404, 405}
    assert all("error" in json.loads(body) for _, body in answers)


@pytest.mark.parametrize("route", ["POST /v0/sandboxes", "POST /v0/volumes"])
def test_a_body_of_ten_megabytes_is_too_large_for_the_control_plane(server, route):
    labels = {"a": "x" * 10 * 2**20}

    refused = server.http.request(*route.split(), json={"metadata": {"labels": labels}})

    assert refused.status_code == 413
    assert refused.json()["message"]


def open_files(pids):
    """How many file descriptors these processes have open."""
    try:
        return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids)
    except PermissionError:
        pytest.skip("only root may look into the agent")


async def abuse(client):
    """What a client can break off or get wrong, all at once."""

    async def leave(method, path, **options):
        async with client.stream(method, path, **options):
            pass

    stream = {"Accept": "text/event-stream"}
    body = {"command": "sleep 0.2; echo", "waitForCompletion": True}
    await asyncio.gather(
        *(leave("POST", "/process", json=body, headers=stream) for _ in range(10)),
        *(leave("GET", "/watch/filesystem//tmp/**") for _ in range(10)),
        *(client.post("/process", content=b"{") for _ in range(10)),
        *(leave("GET", "/filesystem//usr/bin/bash?download=true") for _ in range(10)),
    )


def half_send(line, path):
    """Promise an upload, send some of it, and hang up."""
    head = (
        f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {KEY}\r\n"
        "Content-Length: 1000000\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n"
    )
    with line:
        line.sendall(head.encode() + b"--b\r\n" + b"x" * 1000)


@pytest.mark.exhaustive
async def test_clients_that_break_off_leave_nothing_open_in_the_agent(agent, folder):
    agents = json.loads((agent.socket_path.parent / "processes").read_text())["awake"]
    transport = httpx.AsyncHTTPTransport(uds=str(agent.socket_path))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
        await abuse(client)
    assert wait_until(lambda: all(p["status"] != "running" for p in agent.get("/process").json()))
    before = open_files(agents)

    for _ in range(5):
        async with httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(agent.socket_path)),
            base_url="http://sandbox",
        ) as client:
            await abuse(client)
        line = socket.socket(socket.AF_UNIX)
        line.connect(str(agent.socket_path))
        half_send(line, f"/filesystem/{folder}/half")

    # Its one kept connection, and whoever is just leaving.
    assert wait_until(lambda: open_files(agents) <= before + 3)
    assert agent.get(f"/filesystem/{folder}/half").status_code == 404


@pytest.mark.exhaustive
async def test_clients_that_break_off_leave_nothing_open_at_the_edge(server, name):
    key = {"Authorization": f"Bearer {KEY}"}
    inside = {"base_url": server.url + server.inside(name), "headers": key, "trust_env": False}
    async with httpx.AsyncClient(**inside) as client:
        await abuse(client)
    server.http.get(server.inside(name, "/health"))
    before = open_files([server.process.pid])

    for _ in range(3):
        async with httpx.AsyncClient(**inside) as client:
            await abuse(client)
        line = socket.create_connection(("127.0.0.1", server.port))
        half_send(line, server.inside(name, "/filesystem//tmp/half"))

    # Connections to the agent are kept for a while; as many as one moment needed.
    assert wait_until(lambda: open_files([server.process.pid]) <= before + 8)


@pytest.mark.exhaustive
async def test_two_hundred_commands_at_once_all_end(server, name):
    url = f"{server.url}{server.inside(name, '/process')}?token={KEY}"
    async with httpx.AsyncClient(trust_env=False, timeout=60, limits=httpx.Limits()) as client:
        answers = await asyncio.gather(
            *(
                client.post(url, json={"command": f"echo {n}", "waitForCompletion": True})
                for n in range(200)
            )
        )

    assert [answer.json()["stdout"] for answer in answers] == [f"{n}\n" for n in range(200)]


@pytest.mark.exhaustive
def test_memory_taken_by_many_processes_together_is_limited(host):
    """By a cgroup where the launcher may make one, else by the agent's watchdog."""
    instance = host.call("start", "hogs", None, 256)
    hog = "python3 -c 'import time; held = b\"x\" * (96 << 20); time.sleep(60)'"
    with Agent(Path(host.call("agent_socket", instance))) as agent:
        pids = [agent.execute(hog).json()["pid"] for _ in range(6)]

        def statuses():
            return [agent.get(f"/process/{pid}").json()["status"] for pid in pids]

        assert wait_until(lambda: "failed" in statuses())
        assert agent.run("echo still here").output == "still here\n"
        assert agent.run("exec pkill -9 -f held").code <= 1
        assert wait_until(lambda: agent.run(hog.replace("60", "0")).code == 0)
    host.call("stop", instance)
