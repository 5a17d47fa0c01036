"""Out of a sandbox through its proxy: real programs inside, real servers on this machine."""

import socket
import subprocess
import threading
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.support.launcher_host import kill_agents
from tests.support.local_blaxel import Server
from tests.support.waiting import wait_until

GET = "curl -sS -m 20 --noproxy '' "


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(f"reached {self.path} {self.headers['Host']}")

    def do_POST(self):
        self.answer(str(len(self.rfile.read(int(self.headers["Content-Length"])))))

    def answer(self, text):
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *arguments):
        pass


class Files(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@contextmanager
def serving(handler):
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(scope="module")
def allowed():
    """A server on the host's loopback to which the allow list opens the way."""
    with serving(Echo) as port:
        yield port


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A git repository that another allowed server offers."""
    folder = tmp_path_factory.mktemp("git")
    git = ["git", "-c", "user.name=alice", "-c", "user.email=alice@example.com"]
    commit = [*git, "commit", "--quiet", "--allow-empty", "-m", "First words"]
    for command in (["git", "init", "--quiet"], commit, ["git", "update-server-info"]):
        subprocess.run(command, cwd=folder, check=True)
    with serving(partial(Files, directory=str(folder))) as port:
        yield port


@pytest.fixture(scope="module")
def host(allowed, repository):
    running = Server(LOCAL_BLAXEL_EGRESS_ALLOW=f"127.0.0.1:{allowed}, localhost:{repository}")
    yield running
    running.clear_away()


@pytest.fixture(scope="module")
def sandbox(host):
    if host.http.get("/health").json()["isolation"] == "none":
        pytest.skip("sandboxes are not confined here")
    return host.create()


def said(server, name, command, **options):
    return server.run(name, command, **options)["logs"]


def test_a_server_on_the_hosts_loopback_is_refused_and_the_rule_named(host, sandbox):
    with socket.create_server(("127.0.0.1", 0)) as secret:
        port = secret.getsockname()[1]
        plain = said(host, sandbox, f"{GET} -i http://127.0.0.1:{port}/")
        by_name = said(host, sandbox, f"{GET} -i http://localhost:{port}/")
        by_number = said(host, sandbox, f"{GET} -i -g http://2130706433:{port}/")
        tunnel = said(host, sandbox, f"{GET} -p -v http://[::1]:{port}/ 2>&1")
        itself = said(host, sandbox, f"{GET} -i http://127.0.0.1:{host.port}/health")

    assert "403 Forbidden" in plain
    assert "127.0.0.1 is a loopback address" in plain
    assert "is a loopback address" in by_name
    assert "is a loopback address" in by_number
    assert "403 Forbidden" in tunnel
    assert "is a loopback address" in itself


@pytest.mark.parametrize("address", ["169.254.169.254", "10.0.0.1", "192.168.1.1", "[fe80::1]"])
def test_addresses_that_are_not_the_internets_are_refused(host, sandbox, address):
    assert "403 Forbidden" in said(host, sandbox, f"{GET} -g -i http://{address}/")


def test_an_allowed_server_is_reached_by_request_and_by_tunnel(host, sandbox, allowed):
    url = f"http://127.0.0.1:{allowed}/some?path"

    plain = said(host, sandbox, f"{GET} {url}")
    tunnel = said(host, sandbox, f"{GET} -p {url}")
    python = said(
        host,
        sandbox,
        "env -u no_proxy -u NO_PROXY python3 -c 'import urllib.request as u; "
        f'print(u.urlopen("{url}").read().decode())\'',
    )

    assert plain == tunnel == python.strip() == f"reached /some?path 127.0.0.1:{allowed}"


def test_git_clones_through_the_way_out(host, sandbox, repository):
    clone = f"NO_PROXY= no_proxy= git clone -q http://127.0.0.1:{repository}/.git /tmp/clone"

    assert "First words" in said(host, sandbox, f"{clone} && git -C /tmp/clone log")


def test_megabytes_go_out_whole(host, sandbox, allowed):
    command = f"head -c 20000000 /dev/zero | {GET} --data-binary @- http://127.0.0.1:{allowed}/"

    assert said(host, sandbox, command) == "20000000"


def test_an_update_of_the_domains_counts_at_once_and_restarts_nothing(host, sandbox, allowed):
    command = f"{GET} http://127.0.0.1:{allowed}/"
    host.run(sandbox, "sleep 100", name="still there", waitForCompletion=False)
    record = host.get(sandbox)

    record["spec"]["network"] = {"forbiddenDomains": ["127.0.0.1"]}
    host.http.put(f"/v0/sandboxes/{sandbox}", json=record).raise_for_status()
    forbidden = said(host, sandbox, command)
    record["spec"]["network"] = {"allowedDomains": ["*.example.com"]}
    host.http.put(f"/v0/sandboxes/{sandbox}", json=record).raise_for_status()
    not_allowed = said(host, sandbox, command)
    record["spec"]["network"] = {}
    host.http.put(f"/v0/sandboxes/{sandbox}", json=record).raise_for_status()

    assert "it is in spec.network's forbiddenDomains" in forbidden
    assert "it is not in spec.network's allowedDomains" in not_allowed
    assert "reached" in said(host, sandbox, command)
    still = host.http.get(host.inside(sandbox, "/process/still there")).json()
    assert still["status"] == "running"


@pytest.mark.exhaustive
def test_the_way_out_is_there_after_standby_and_after_the_server_was_killed(host, sandbox, allowed):
    wait_until(lambda: host.sleeps(sandbox))
    woken = said(host, sandbox, f"{GET} http://127.0.0.1:{allowed}/")

    host.kill()
    host.start()

    assert "reached" in woken
    assert "reached" in said(host, sandbox, f"{GET} http://127.0.0.1:{allowed}/")


def test_a_connection_outlives_standby(host, sandbox, allowed):
    script = f"""
import http.client, pathlib, time
tunnel = http.client.HTTPConnection("127.0.0.1", 3128)
tunnel.set_tunnel("127.0.0.1", {allowed})
tunnel.request("GET", "/before"); print(tunnel.getresponse().read().decode())
while not pathlib.Path("/tmp/go").exists(): time.sleep(0.05)
line = tunnel.sock.getsockname()
tunnel.request("GET", "/after"); print(tunnel.getresponse().read().decode())
print(line == tunnel.sock.getsockname())
"""
    host.http.put(host.inside(sandbox, "/filesystem//tmp/tunnel.py"), json={"content": script})
    host.run(sandbox, "python3 /tmp/tunnel.py", name="tunnel", waitForCompletion=False)

    wait_until(lambda: host.sleeps(sandbox))
    host.run(sandbox, "touch /tmp/go")
    process = host.http.get(host.inside(sandbox, "/process/tunnel/wait?timeout=20")).json()

    assert process["stdout"].startswith("reached /before")
    assert "reached /after" in process["stdout"]
    assert process["stdout"].endswith("True\n")


@pytest.mark.parametrize(
    "network",
    [
        *({"allowedDomains": "x"}, {"forbiddenDomains": [1]}, {"proxy": []}),
        *({"proxy": {"allowedDomains": {"a": 1}}}, {"proxy": {"forbiddenDomains": [None]}}),
    ],
)
def test_domains_that_are_none_are_refused_by_name(host, network):
    body = {"metadata": {"name": "never-made"}, "spec": {"network": network}}

    answer = host.http.post("/v0/sandboxes", json=body)

    assert answer.status_code == 400
    assert "spec.network" in answer.json()["message"]


def test_the_way_out_is_there_after_the_agent_was_killed_and_started_again(host, sandbox, allowed):
    process = host.inside(sandbox, "/process")
    get = {"command": f"{GET} http://127.0.0.1:{allowed}/", "waitForCompletion": True}
    kill_agents(host.state_dir / "sandboxes")

    assert wait_until(lambda: "reached" in host.http.post(process, json=get).text)


def test_one_sandbox_has_a_limit_of_connections_and_gets_over_it(host, sandbox, allowed):
    flood = """python3 -c '
import socket
lines = [socket.create_connection(("127.0.0.1", 3128)) for _ in range(140)]
lines[-1].settimeout(60)
print(lines[-1].recv(99).decode())
'"""

    assert "503 Service Unavailable" in said(host, sandbox, flood)
    again = wait_until(
        lambda: "reached" in said(host, sandbox, f"{GET} http://127.0.0.1:{allowed}/")
    )
    assert again


@pytest.mark.exhaustive
def test_a_tool_that_knows_no_proxy_reaches_nothing(host, sandbox, allowed):
    direct = f"curl -sS -m 5 --noproxy '*' http://127.0.0.1:{allowed}/ 2>&1"

    assert "Failed to connect" in said(host, sandbox, direct)


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("probe", "install"),
    [
        (
            "pip download -q --no-deps --no-cache-dir -d /tmp/probe six",
            "pip install -q --no-cache-dir six && python -c 'import six; print(six.__name__)'",
        ),
        (
            "npm view left-pad version",
            "mkdir -p /tmp/project && cd /tmp/project && npm install left-pad && ls node_modules",
        ),
    ],
)
def test_packages_are_installed_where_the_index_answers(server, name, probe, install):
    answer = server.run(name, probe, timeout=30)
    if answer["exitCode"] != 0:
        pytest.skip(f"no package index answers here: {answer['logs'][-200:]}")

    installed = server.run(name, install)

    assert installed["exitCode"] == 0, installed["logs"]
    assert installed["stdout"].split()[-1] in ("six", "left-pad")
