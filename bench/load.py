"""A load generator: clients that ask for one path again and again, over kept connections.

A process of its own, so that it doesn't share a lock with its parent: `python -m bench.load`
with a JSON object on stdin answers with one on stdout. Loopback only, and bounded in time.
"""

import asyncio
import json
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

    def request(self) -> bytes:
        headers = {"Host": f"localhost:{self.port}", **self.headers}
        lines = [f"GET {self.path} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
        return "\r\n".join(lines).encode()


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
        if status not in (200, 204):
            raise RuntimeError(f"{load.path} answered {status}")
        _, found, rest = head.partition(b"content-length:")
        await reader.readexactly(int(rest.split(b"\r\n", 1)[0]) if found else 0)
        taken.append(1000 * (time.perf_counter() - asked))
    writer.close()


async def run(load: Load) -> Result:
    taken: list[float] = []
    started = time.perf_counter()
    until = started + min(load.seconds, MAX_SECONDS)
    await asyncio.gather(*(client(load, until, taken) for _ in range(load.clients)))
    rate = len(taken) / (time.perf_counter() - started)
    return Result(rate, taken)


def measure(load: Load) -> Result:
    command = [sys.executable, "-m", "bench.load"]
    answer = subprocess.run(
        command, input=json.dumps(asdict(load)), stdout=subprocess.PIPE, text=True, check=True
    )
    return Result(**json.loads(answer.stdout))


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(run(Load(**json.load(sys.stdin)))))))
