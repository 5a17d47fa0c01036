"""A server inside, through local_blaxel, beside the same server reached without it.

That is the same program, run by the same interpreter and asked by the same client, on the loopback
of this machine.
"""

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench import load
from bench.blaxel.running import create, running
from bench.load import Load
from bench.report import Table
from bench.timing import ratio, spread, table
from tests.support.local_blaxel import KEY
from tests.support.supervisor import free_port
from tests.support.waiting import wait_until

SIZE, CHUNK = 512 * 2**20, 2**20
TIMES = 3
HEADERS = {"X-Blaxel-Authorization": f"Bearer {KEY}"}
SERVING = f"""
import http.server, sys

CHUNK = bytes({CHUNK})

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    rbufsize, wbufsize = 0, -1

    def do_GET(self):
        size = int(self.path.rpartition("/")[2])
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        for start in range(0, size, len(CHUNK)):
            self.wfile.write(CHUNK[: size - start])

    def do_POST(self):
        left = int(self.headers["Content-Length"])
        into = memoryview(bytearray(len(CHUNK)))
        while left:
            left -= self.connection.recv_into(into[:left])
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args):
        pass

http.server.ThreadingHTTPServer(("", int(sys.argv[1])), Handler).serve_forever()
"""


def measure() -> list[Table]:
    with running() as server:
        create(server, "bench")
        server.serve("bench", 3000, SERVING)
        through = server.port, server.inside("bench", "/port/3000")
        with directly(server.state_dir / "serving.py") as port:
            return [_latency(through, (port, "")), _throughput(through, (port, ""))]


@contextmanager
def directly(path: Path) -> Iterator[int]:
    path.write_text(SERVING)
    port = free_port()
    # The interpreter that sandboxes have, too.
    process = subprocess.Popen(["/usr/bin/python3", path, str(port)])
    try:
        wait_until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
        yield port
    finally:
        process.kill()
        process.wait()


def _latency(through: tuple[int, str], direct: tuple[int, str]) -> Table:
    taken, directly = (
        load.measure(Load(port, f"{path}/1", 1, 3.0, HEADERS)).taken
        for port, path in (through, direct)
    )
    return table(spread("A request", taken, beside=ratio(taken, directly, "directly")))


def _throughput(through: tuple[int, str], direct: tuple[int, str]) -> Table:
    rows = []
    for name, transfer in TRANSFERS.items():
        # By turns, so that what else this machine does meets both.
        rates = [(transfer(*through), transfer(*direct)) for _ in range(TIMES)]
        best, directly = (max(column) for column in zip(*rates, strict=True))
        shares = (f"{best:,.0f} MB/s", f"{directly:,.0f} MB/s", f"{best / directly:.0%}")
        rows.append((name, *shares, "≥ 50%"))
    best_of = f"Best of {TIMES} x {SIZE // 2**20} MiB"
    return Table((best_of, "Through local_blaxel", "Directly", "Of it", "Aim"), rows)


def _download(port: int, path: str) -> float:
    return load.download(Load(port, f"{path}/{SIZE}", 1, 0, HEADERS)) / 1e6


def _upload(port: int, path: str) -> float:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        chunk, started = bytes(CHUNK), time.perf_counter()
        sent = {"Host": "localhost", "Content-Length": str(SIZE), **HEADERS}
        lines = [f"POST {path or '/'} HTTP/1.1", *(f"{k}: {v}" for k, v in sent.items()), "", ""]
        connection.sendall("\r\n".join(lines).encode())
        for _ in range(0, SIZE, CHUNK):
            connection.sendall(chunk)
        assert connection.recv(2**16).startswith(b"HTTP/1.1 204")
        return SIZE / 1e6 / (time.perf_counter() - started)


def _download_with_httpx(port: int, path: str) -> float:
    started, url = time.perf_counter(), f"http://127.0.0.1:{port}{path}/{SIZE}"
    with httpx.stream("GET", url, headers=HEADERS, trust_env=False) as answer:
        left = SIZE - sum(map(len, answer.iter_raw()))
    assert left == 0
    return SIZE / 1e6 / (time.perf_counter() - started)


def _upload_with_httpx(port: int, path: str) -> float:
    started, headers = time.perf_counter(), HEADERS | {"Content-Length": str(SIZE)}
    chunks = (bytes(CHUNK) for _ in range(0, SIZE, CHUNK))
    url = f"http://127.0.0.1:{port}{path}/"
    httpx.post(url, content=chunks, headers=headers, trust_env=False, timeout=60).raise_for_status()
    return SIZE / 1e6 / (time.perf_counter() - started)


TRANSFERS: dict[str, Callable[[int, str], float]] = {
    "Download, httpx as in the SDK": _download_with_httpx,
    "Upload, httpx as in the SDK": _upload_with_httpx,
    "Download, a bare socket": _download,
    "Upload, a bare socket": _upload,
}
