"""An agent's call of a tool through Manta's /mcp, beside the same one asked for at the sandbox."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx

from bench.installation import running, token
from bench.report import Group, Table
from bench.timing import by_turns, milliseconds, percentile
from tests.support.blaxel_client import KEY

CALLERS = (1, 16)
TIMES = 320
# So many calls in a row go the one way before it is the other's turn.
ROUND = 40
AIM = 10.0
_CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "fsGetWorkingDirectory", "arguments": {}},
}
Taken = tuple[list[float], list[float]]


def measure() -> list[Table]:
    with running() as (manta, visitor):
        inside = str((visitor.sandbox() or {})["sandboxUrl"])
        with (
            _client(manta.url, token(manta, visitor.email, "mcp")) as through,
            _client(inside, KEY) as direct,
        ):
            _call(through), _call(direct)
            rows = [row for callers in CALLERS for row in _rows(through, direct, callers)]
    headings = ("A call of a tool", "Through Manta", "Directly", "More", "Times as long", "Aim")
    return [Table(headings, rows)]


def _rows(through: httpx.Client, direct: httpx.Client, callers: int) -> list[tuple[str, ...]]:
    taken, beside = _taken(lambda: _call(through), lambda: _call(direct), callers)
    rows = []
    for percent in (50, 99):
        ours, theirs = percentile(taken, percent), percentile(beside, percent)
        name = f"{callers} at a time, p{percent}"
        aim = f"< {AIM:.0f} ms more" if callers == 1 and percent == 50 else ""
        times = (f"{ms:.1f} ms" for ms in (ours, theirs, ours - theirs))
        rows.append((name, *times, f"{ours / theirs:.1f}", aim))
    return rows


def _taken(action: Callable[[], None], direct: Callable[[], None], callers: int) -> Taken:
    if callers == 1:
        return by_turns(action, direct, TIMES)
    taken, beside = [], []
    with ThreadPoolExecutor(callers) as pool:
        for _ in range(TIMES // ROUND):
            taken += pool.map(lambda _: milliseconds(action), range(ROUND))
            beside += pool.map(lambda _: milliseconds(direct), range(ROUND))
    return taken, beside


def _client(url: str, bearer: str) -> httpx.Client:
    headers = {
        "Authorization": f"Bearer {bearer}",
        "Accept": "application/json, text/event-stream",
    }
    return httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False)


def _call(http: httpx.Client) -> None:
    answer = http.post("/mcp", json=_CALL).raise_for_status()
    if "/blaxel" not in answer.text:
        raise RuntimeError(f"The call was answered with {answer.text}")


GROUP = Group("Agents", measure)
