"""Events for Sentry, received by a server that stands in for its ingest."""

import gzip
import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import brotli
import pytest

from tests.settings import CANARY_KEY

PROGRAM = """
import logging
import django
django.setup()
from django.test import Client
from manta.core.request_context import HEADER
from operations import sentry
logger = logging.getLogger("sandboxes.reconciler.worker")


def work(key):
    variable = "canary-of-a-variable"
    raise LookupError(f"refused with {key}")


try:
    work("Bearer canary-of-a-message")
except LookupError:
    logger.exception("Job of %s failed", "Cookie: sessionid=canary-of-an-argument")
# The sessions' table is missing, so this is a 500.
answer = Client(raise_request_exception=False).post(
    "/sandbox/initialize/?token=canary-of-a-query",
    {"password": "canary-of-a-body"},
    headers={
        "Host": "localhost",
        "Authorization": "Bearer canary-of-a-header",
        "Cookie": "sessionid=canary-of-a-cookie",
    },
)
print(answer.status_code, answer[HEADER])
Client().get("/", headers={"Host": "canary-of-a-stranger"})
sentry.stop(10)
"""


@pytest.fixture
def ingest():
    """Sentry's ingest on loopback; what it received, as text."""

    class Ingest(BaseHTTPRequestHandler):
        received: list[tuple[str, str]] = []

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            unpack = {"gzip": gzip.decompress, "br": brotli.decompress}
            if encoding := self.headers.get("Content-Encoding"):
                body = unpack[encoding](body)
            self.received.append((self.path, body.decode()))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Ingest)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def run(dsn):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"DJANGO_SETTINGS_MODULE": "tests.settings", "SENTRY_DSN": dsn},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def events(ingest):
    """The events in the envelopes: a line of JSON after each item's header."""
    paths = {path for path, _ in ingest.RequestHandlerClass.received}
    assert paths == {"/api/7/envelope/"}
    lines = [
        json.loads(line)
        for _, body in ingest.RequestHandlerClass.received
        for line in body.splitlines()
        if line
    ]
    return [line for line in lines if "exception" in line]


@pytest.mark.process
def test_it_gets_the_error_the_traceback_and_the_request_id_and_no_secret(ingest):
    said = run(f"http://public@127.0.0.1:{ingest.server_port}/7")

    of_a_job, of_a_page = events(ingest)
    status, request_id = said.split()
    everything = json.dumps(ingest.RequestHandlerClass.received)
    (job,) = of_a_job["exception"]["values"]
    assert job["type"] == "LookupError"
    assert "work" in [frame["function"] for frame in job["stacktrace"]["frames"]]
    assert (status, of_a_page["tags"]["request_id"]) == ("500", request_id)
    assert of_a_page["exception"]["values"][-1]["type"] == "OperationalError"
    assert "canary" not in everything.replace(PROGRAM, "")
    assert CANARY_KEY not in everything


@pytest.mark.process
def test_without_a_dsn_nothing_is_sent(ingest):
    run("")

    assert ingest.RequestHandlerClass.received == []
