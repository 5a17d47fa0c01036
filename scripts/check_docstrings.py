"""Check that docstrings start with a noun phrase or an imperative verb (`make lint`).

A docstring such as "What a page shows" is a clause without its sentence: the reader cannot tell
whether it names a value, an action or a condition. Each of these is printed with its place; above
2 % of all docstrings, the exit status is 1.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = (
    "manta",
    "accounts",
    "sandboxes",
    "operations",
    "local_blaxel",
    "scripts",
    "bench",
    "chaos",
)
# Migrations are never edited once shipped; "files" holds what sandboxes are started with.
SKIPPED_FOLDERS = {"migrations", "files"}
CLAUSE = re.compile(
    r"\W*((as|at|by|for|from|in|on|to|under|until|with) )?"
    r"((what|who|whom|whose|which|how|why|where|when)(ever)?"
    r"|whether|of|such|(some|any|no|every)body|(some|any|every)one|no one)\b",
    re.IGNORECASE,
)
MAX_SHARE = 0.02


def main() -> int:
    found = [
        (path, line, text)
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if not SKIPPED_FOLDERS & set(path.relative_to(ROOT).parts)
        for line, text in docstrings(path)
    ]
    clauses = [(path, line, text) for path, line, text in found if CLAUSE.match(text)]
    for path, line, text in clauses:
        print(f"{path.relative_to(ROOT)}:{line}: {text.splitlines()[0]}")
    share = len(clauses) / max(len(found), 1)
    print(
        f"{len(clauses)} of {len(found)} docstrings ({share:.1%}) start with a relative clause;"
        f" at most {MAX_SHARE:.0%} may."
    )
    return int(share > MAX_SHARE)


def docstrings(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each docstring of a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield node.body[0].lineno, text


if __name__ == "__main__":
    sys.exit(main())
