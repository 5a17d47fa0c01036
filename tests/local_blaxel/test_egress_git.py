"""`git clone` and `git push` over https: a real git server, reached through the way out."""

import os
import shutil
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.support.local_blaxel import Server

GIT = ["git", "-c", "user.name=alice", "-c", "user.email=alice@example.com"]


class Backend(BaseHTTPRequestHandler):
    """git's own CGI program, `git http-backend`."""

    protocol_version = "HTTP/1.1"
    root = ""

    def do_GET(self):
        path, _, query = self.path.partition("?")
        environ = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": self.root,
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": "alice",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        command = ["git", "http-backend"]
        said = subprocess.run(command, env=environ, input=body, capture_output=True).stdout
        head, _, answer = said.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_GET

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that only its own file vouches for, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl on this machine")
    folder = tmp_path_factory.mktemp("tls")
    made = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-out", str(made[0]), "-keyout", str(made[1])]
    subprocess.run(command, check=True, capture_output=True)
    return made


@pytest.fixture(scope="module")
def repository(tmp_path_factory, certificate):
    """The address of a repository with one commit, over https."""
    root = tmp_path_factory.mktemp("git")
    work = root / "work"
    bare = str(root / "project.git")
    subprocess.run(["git", "init", "--quiet", "-b", "main", str(work)], check=True)
    commit = [*GIT, "commit", "--quiet", "--allow-empty", "-m", "First words"]
    subprocess.run(commit, cwd=work, check=True)
    subprocess.run(["git", "clone", "--quiet", "--bare", str(work), bare], check=True)
    subprocess.run(["git", "-C", bare, "config", "http.receivepack", "true"], check=True)
    backend = type("Backend", (Backend,), {"root": str(root)})
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*certificate)
    with ThreadingHTTPServer(("127.0.0.1", 0), backend) as server:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()
        yield f"https://127.0.0.1:{server.server_port}/project.git"
        server.shutdown()


@pytest.fixture(scope="module")
def host(repository):
    address = repository.split("/")[2]
    running = Server(LOCAL_BLAXEL_EGRESS_ALLOW=address)
    yield running
    running.clear_away()


@pytest.fixture(scope="module")
def sandbox(host, certificate):
    """A sandbox that trusts the git server's certificate, and reaches 127.0.0.1 by its proxy."""
    if host.http.get("/health").json()["isolation"] == "none":
        pytest.skip("sandboxes are not confined here")
    trusted = {"GIT_SSL_CAINFO": "/blaxel/ca.pem", "NO_PROXY": "", "no_proxy": ""}
    envs = [{"name": name, "value": value} for name, value in trusted.items()]
    name = host.create(runtime={"envs": envs})
    path = host.inside(name, "/filesystem//blaxel/ca.pem")
    host.http.put(path, json={"content": certificate[0].read_text()}).raise_for_status()
    return name


def test_git_clones_over_https(host, sandbox, repository):
    cloned = host.run(sandbox, f"git clone -q {repository} cloned && git -C cloned log --format=%s")

    assert cloned["exitCode"] == 0, cloned["logs"]
    # The other test may have pushed before.
    assert cloned["stdout"].splitlines()[-1] == "First words"


def test_git_pushes_over_https(host, sandbox, repository):
    commit = " ".join(GIT[1:]) + " commit -q --allow-empty -m 'Second words'"
    command = f"git clone -q {repository} pushed && cd pushed && git {commit} && git push -q"

    pushed = host.run(sandbox, command)
    seen = host.run(sandbox, f"git clone -q {repository} again && git -C again log --format=%s")

    assert pushed["exitCode"] == 0, pushed["logs"]
    assert seen["stdout"] == "Second words\nFirst words\n"


@pytest.mark.exhaustive
def test_a_certificate_that_nobody_vouches_for_is_refused(host, sandbox, repository):
    refused = host.run(sandbox, f"env -u GIT_SSL_CAINFO git clone -q {repository} refused")

    assert refused["exitCode"] != 0
    assert "certificate" in refused["logs"]
