"""Who may read the environment. Who may import whom is in pyproject.toml (import-linter)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("manta", "accounts", "sandboxes", "operations")
# What a starter holds runs inside a sandbox.
NOT_OURS = ROOT / "sandboxes" / "starters"


def modules(*packages: str) -> list[Path]:
    found = (path for package in packages for path in (ROOT / package).rglob("*.py"))
    return [path for path in found if NOT_OURS not in path.parents or path.parent == NOT_OURS]


def imported(source: str) -> set[str]:
    """The modules that the source imports, also inside functions and under TYPE_CHECKING."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def environment_reads(source: str) -> Iterator[str]:
    """Uses of os.environ, except those that only set a variable, and of its readers."""
    nodes = list(ast.walk(ast.parse(source)))
    writes = {id(node) for parent in nodes for node in written(parent)}
    names = {"os.environ", "os.environb", "os.getenv"}
    for node in nodes:
        if id(node) not in writes and isinstance(node, ast.Attribute):
            yield from names & {ast.unparse(node)}
    yield from imported(source) & (names | {"manta.core.env"})


def written(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, (ast.Store, ast.Del)):
        yield node.value
    if isinstance(node, ast.Attribute) and node.attr in {"setdefault", "update"}:
        yield node.value


def test_only_settings_reads_the_environment():
    settings = ROOT / "manta" / "settings"
    allowed = {ROOT / "manta" / "core" / "env.py", *settings.glob("*.py")}
    others = [path for path in modules(*PRODUCT) if path not in allowed]

    readers = [str(path.relative_to(ROOT)) for path in others if any(reads(path))]

    assert readers == []


def reads(path: Path) -> Iterator[str]:
    return environment_reads(path.read_text())


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos.environ['A']",
        "import os\nos.environ.get('A')",
        "import os\n'A' in os.environ",
        "import os\nos.getenv('A')",
        "from os import environ",
        "from manta.core import env",
    ],
)
def test_every_way_to_read_the_environment_is_seen(source):
    assert list(environment_reads(source))


@pytest.mark.parametrize(
    "source", ["import os\nos.environ['A'] = '1'", "import os\nos.environ.setdefault('A', '1')"]
)
def test_setting_a_variable_for_others_is_not_reading(source):
    assert not list(environment_reads(source))
