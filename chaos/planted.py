"""Faults that the comparison must find: how one knows that it compares."""

from collections.abc import Callable

from chaos.people import Crowd
from tests.support.manta_process import Parts


def _orphan(parts: Parts, crowd: Crowd) -> None:
    body = {"metadata": {"name": "user-999999", "labels": {"manta-owner": "999999"}}, "spec": {}}
    parts.blaxel.http.post("/v0/sandboxes", json=body).raise_for_status()


def _lost_file(parts: Parts, crowd: Crowd) -> None:
    crowd.people[0].files.lose_one()


def _lost_sandbox(parts: Parts, crowd: Crowd) -> None:
    parts.stop("worker")  # which would notice
    parts.blaxel.delete(crowd.people[0].name)


FAULTS: dict[str, Callable[[Parts, Crowd], None]] = {
    "orphan": _orphan,
    "lost-file": _lost_file,
    "lost-sandbox": _lost_sandbox,
}
