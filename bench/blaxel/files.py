"""Writing a file in a sandbox and reading it again, through HTTP as the SDK does it."""

import os
from pathlib import Path

from bench.blaxel.running import create, running
from bench.report import Table
from bench.timing import by_turns, ratio, spread, table
from tests.support.local_blaxel import Server

SIZES = {"1 KB": (10**3, 200), "10 MB": (10**7, 40)}


def measure() -> list[Table]:
    with running() as server:
        create(server, "bench")
        rows = [_row(server, name, *how_much) for name, how_much in SIZES.items()]
    return [table(*rows)]


def _row(server: Server, name: str, size: int, times: int) -> tuple[str, ...]:
    content = os.urandom(size)
    address = server.inside("bench", "/filesystem//blaxel/file")
    path = server.state_dir / "directly"

    def through_http() -> None:
        server.http.put(address, files={"file": content}).raise_for_status()
        answer = server.http.get(address, headers={"Accept": "application/octet-stream"})
        assert answer.content == content

    taken, direct = by_turns(through_http, lambda: _directly(path, content), times)
    return spread(f"{name}, written and read", taken, beside=ratio(taken, direct, "the disk"))


def _directly(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert path.read_bytes() == content
