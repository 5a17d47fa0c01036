"""The catalog of all codes: the one source of /help/errors/ and of docs/errors.md."""

from pathlib import Path

from manta.core.error_codes import files, processes, requests, sandboxes

PAGE = Path(__file__).resolve().parents[3] / "docs" / "errors.md"

GROUPS = {
    "About a sandbox": sandboxes.CODES,
    "About a file": files.CODES,
    "About a process": processes.CODES,
    "About a request": requests.CODES,
}


def markdown() -> str:
    lines = [
        "# Errors",
        "",
        "Every error carries one of these codes: in the page's details, and as `code` in the API's",
        '`{"error": "…", "code": "…", "help": "…"}`. A code keeps its meaning; texts may change.',
        "Without a session or a valid token the API answers exactly "
        '`401 {"error": "Unauthorized"}`.',
        "",
        "Written by `python -m manta.core.error_codes`; the product shows the same at "
        "`/help/errors/`.",
    ]
    for heading, codes in GROUPS.items():
        lines += ["", f"## {heading}"]
        for item in codes:
            lines += ["", f"### `{item.code}`", "", f"**{item.title}.** {item.cause}", ""]
            lines += [f"What to do: {item.action}"]
    return "\n".join(lines) + "\n"
