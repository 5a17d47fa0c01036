"""The environment variables that the code reads, found in its source."""

import ast
import re
from collections.abc import Iterator

from tests.support.supervisor import ROOT

READERS = {"text", "flag", "number", "items", "secret", "choice", "duration", "ports"}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def calls(path: str) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(read(path))) if isinstance(node, ast.Call))


def variables_of_the_product() -> set[str]:
    paths = (ROOT / "manta" / "settings").glob("*.py")
    return {name for path in paths for name in variables_read_by(str(path.relative_to(ROOT)))}


def variables_read_by(path: str) -> set[str]:
    return {
        str(ast.literal_eval(call.args[0]))
        for call in calls(path)
        if isinstance(call.func, ast.Attribute) and call.func.attr in READERS and call.args
    }


def local_blaxel_variables() -> set[str]:
    sources = [path.read_text() for path in (ROOT / "local_blaxel").glob("*.py")]
    return set(re.findall(r'"(LOCAL_BLAXEL_[A-Z_]+)"', "\n".join(sources)))


def every_variable() -> set[str]:
    of_scripts = {"HOST", "PORT", "WEB_CONCURRENCY", "LOCAL_BLAXEL_PORT", "MANTA_STATE_DIR"}
    return variables_of_the_product() | local_blaxel_variables() | of_scripts
