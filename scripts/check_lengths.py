"""Check that no file has more than 350 lines and no function more than 40 (`make lint`).

A longer one does more than one thing: a file becomes several, by noun; a function, by step.
"""

import ast
import sys
from collections.abc import Iterator

from scripts.check_docstrings import PACKAGES, ROOT, SKIPPED_FOLDERS

MAX_FILE, MAX_FUNCTION = 350, 40


def main() -> int:
    too_long = [
        f"{path.relative_to(ROOT)}: {text}"
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if not SKIPPED_FOLDERS & set(path.relative_to(ROOT).parts)
        for text in findings(path.read_text(encoding="utf-8"))
    ]
    print("\n".join(too_long) or f"No file is longer than {MAX_FILE} lines.")
    return int(bool(too_long))


def findings(text: str) -> Iterator[str]:
    """Yield a line for the file, and for each function in it, that is too long."""
    lines = text.count("\n")
    if lines > MAX_FILE:
        yield f"{lines} lines; at most {MAX_FILE} are allowed"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION:
                yield f"{node.name} has {length} lines; at most {MAX_FUNCTION} are allowed"


if __name__ == "__main__":
    sys.exit(main())
