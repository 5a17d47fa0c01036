"""Requests that the description allows, and others, sent to a real server by schemathesis.

The same examples in every run. What they read and change is there; what they make is deleted.
One test asks them all, and they are made while it runs: each worker would make them to collect it.
"""

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from local_blaxel.openapi.document import document
from tests.support.local_blaxel import KEY, Server

if TYPE_CHECKING:
    from schemathesis import Case

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
CONFIG = {
    "generation": {
        "deterministic": True,
        "max-examples": 5,
        "no-shrink": True,
        "database": "none",
        "with-security-parameters": False,
    },
}
# They carry what others say, go on for ever, or are no HTTP: each has tests of its own.
LEFT_OUT = "^/preview/|/port/|/terminal/ws|/watch/"
# With a 501 or 503, which is no failure here; test_unsupported.py and test_agent_http.py hold it.
REFUSED = "not supported"
HEADERS = {"X-Blaxel-Authorization": f"Bearer {KEY}"}
MAKES_SANDBOXES = ("/v0/sandboxes", "/fork")
STANDING = "standing"
TIMEOUT = 20
# So many operations are described, at least: none may be lost on the way to them.
OPERATIONS = 80


class Place:
    """A server with one of everything that a path can name."""

    def __init__(self) -> None:
        self.server = Server()
        name = self.server.create(STANDING)
        of_it = f"/v0/sandboxes/{name}"
        schedule = {"type": "cron", "value": "0 0 1 1 *", "input": {"command": "true"}}
        self._post("/v0/volumes", metadata={"name": STANDING})
        self._post(f"{of_it}/previews", metadata={"name": STANDING}, spec={"port": 3000})
        self._post(f"{of_it}/schedules", id=STANDING, **schedule)
        self.server.run(name, "true", name=STANDING)
        snapshot = self._post(f"{of_it}/snapshots", name=STANDING)
        upload = self._post(self.server.inside(name, "/filesystem-multipart/initiate/a"))
        self._upload = upload["uploadId"]
        self._made = dict.fromkeys(("name", "sandbox", "volume", "preview", "schedule"), STANDING)
        self._rooms = 12
        self._made |= {"workspace": "manta", "snapshot": snapshot["id"]}
        self._made |= {"kind": "sandbox", "image": "blaxel/base-image"}

    def _post(self, path: str, **body: Any) -> Any:
        return self.server.http.post(path, json=body).raise_for_status().json()

    def put(self, case: "Case") -> None:
        """Let the case name what is here, but for what it ends."""
        made = {**self._made, "id": self._upload if "multipart" in case.path else STANDING}
        names = re.findall(r"{(\w+)}", case.path)
        if case.method == "DELETE" or "archive" in case.path:
            del names[-1:]
        case.path_parameters.update({name: made[name] for name in names if name in made})

    def spare(self, case: "Case") -> None:
        """Make no more sandboxes than a few, and start nothing that lasts."""
        if not isinstance(case.body, dict) or case.method != "POST":
            return
        metadata = case.body.get("metadata", {})
        if case.path.endswith("/process"):
            case.body |= {"timeout": 1, "maxRestarts": 0}
        if not case.path.endswith(MAKES_SANDBOXES):
            return
        self._rooms -= 1
        if self._rooms < 0 and "targetName" in case.body:
            case.body["targetName"] = STANDING
        elif self._rooms < 0 and isinstance(metadata, dict):
            case.body["metadata"] = {**metadata, "name": STANDING}

    def clear(self, case: "Case") -> None:
        """Delete the sandboxes that a case has made."""
        if case.path.endswith(MAKES_SANDBOXES):
            for name in set(self.server.names()) - {STANDING}:
                self.server.http.delete(f"/v0/sandboxes/{name}")


@pytest.fixture(scope="module")
def place():
    made = Place()
    yield made
    made.server.clear_away()


def examples_of_operations(
    ask: Callable[["Case"], None],
) -> Iterator[tuple[str, Callable[[], None]]]:
    """The name of each operation, and what sends all of its examples through `ask`."""
    # Importing it costs every worker half a second.
    import schemathesis
    from schemathesis.config import SchemathesisConfig
    from schemathesis.pytest.lazy import get_all_tests

    config = SchemathesisConfig.from_dict(CONFIG)
    schema = schemathesis.openapi.from_dict(document(), config=config)
    described = schema.exclude(path_regex=LEFT_OUT).exclude(tag=REFUSED)
    for found in get_all_tests(schema=described, test_func=ask, settings=None, given_kwargs=None):
        operation, examples = found.ok()
        yield operation.label, examples


@pytest.mark.exhaustive
@pytest.mark.timeout(600)
def test_the_server_keeps_to_its_description(place):
    from schemathesis import checks

    chosen = [getattr(checks, name) for name in CHECKS]
    mismatches, asked = [], []

    def ask(case):
        place.put(case)
        place.spare(case)
        server = {"base_url": place.server.url, "headers": HEADERS, "timeout": TIMEOUT}
        case.call_and_validate(**server, checks=chosen)
        place.clear(case)
        asked.append(case.operation.label)

    for operation, examples in examples_of_operations(ask):
        try:
            examples()
        except (Exception, BaseExceptionGroup) as exc:  # what the checks raise is the second
            mismatches.append(f"{operation}: {exc}")

    assert not mismatches, "\n".join(mismatches)
    assert len(set(asked)) > OPERATIONS
