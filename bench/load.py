"""A load generator: clients that send one request again and again, over kept connections.

A process of its own, so that it doesn't share a lock with its parent: `python -m bench.load`
with a JSON object on stdin answers with one on stdout. Loopback only, and bounded in time.
"""

import asyncio
import json
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field

MAX_SECONDS = 10.0


@dataclass(frozen=True)
class Load:
    port: int
    path: str
    clients: int
    seconds: float
    headers: dict[str, str] = field(default_factory=dict)
    # The fields of a form that is sent; without one, the path is only asked for.
    form: str = ""
    expects: tuple[int, ...] = (200, 204)

    def request(self) -> bytes:
        headers = {"Host": f"localhost:{self.port}", **self.headers}
        if self.form:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers["Content-Length"] = str(len(self.form))
        method = "POST" if self.form else "GET"
        lines = [f"{method} {self.path} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
        return "\r\n".join([*lines, "", self.form]).encode()


@dataclass(frozen=True)
class Result:
    """Requests a second, and the milliseconds that each took."""

    rate: float
    taken: list[float]


async def client(load: Load, until: float, taken: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", load.port)
    request = load.request()
    while (asked := time.perf_counter()) < until:
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        status = int(head.split(b" ", 2)[1])
        if status not in load.expects:
            raise RuntimeError(f"{load.path} answered {status}")
        await reader.readexactly(_length(head))
        taken.append(1000 * (time.perf_counter() - asked))
    writer.close()


async def run(load: Load) -> Result:
    taken: list[float] = []
    started = time.perf_counter()
    until = started + min(load.seconds, MAX_SECONDS)
    await asyncio.gather(*(client(load, until, taken) for _ in range(load.clients)))
    rate = len(taken) / (time.perf_counter() - started)
    return Result(rate, taken)


def _length(head: bytes) -> int:
    """Return the length of the body. Raises RuntimeError where only its end would tell."""
    if b"transfer-encoding:" in head:
        raise RuntimeError("An answer without a length is not measured.")
    _, found, rest = head.partition(b"content-length:")
    return int(rest.split(b"\r\n", 1)[0]) if found else 0


def download(load: Load) -> float:
    """Read one large body by a bare socket; returns bytes a second."""
    with socket.create_connection(("127.0.0.1", load.port)) as connection:
        started = time.perf_counter()
        connection.sendall(load.request())
        into, head = memoryview(bytearray(2**20)), b""
        while b"\r\n\r\n" not in head and (part := connection.recv(2**16)):
            head += part
        head, _, body = head.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{load.path} answered {head[:40]!r}")
        size = _length(head.lower())
        left = size - len(body)
        while left > 0 and (received := connection.recv_into(into)):
            left -= received
        if left:
            raise RuntimeError(f"{load.path} was cut off")
        return size / (time.perf_counter() - started)


def measure(load: Load) -> Result:
    command = [sys.executable, "-m", "bench.load"]
    answer = subprocess.run(
        command, input=json.dumps(asdict(load)), stdout=subprocess.PIPE, text=True, check=True
    )
    return Result(**json.loads(answer.stdout))


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(run(Load(**json.load(sys.stdin)))))))
