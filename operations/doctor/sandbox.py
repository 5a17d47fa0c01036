"""Steps that check the functions of a sandbox."""

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from operations.doctor.finding import NotApplicable, Step, StepFailed
from operations.doctor.mcp_probe import mcp_tools
from sandboxes import control_plane, data_plane, services
from sandboxes.models import Sandbox, status
from sandboxes.models.reach import Reach

_TOKEN_LIFETIME = timedelta(minutes=1)
# Seconds.
_COMMAND_TIMEOUT = 15


@dataclass
class Target:
    """The sandbox that is tried; reach and port are known once it is there, and serves one."""

    name: str
    reach: Reach = field(default_factory=lambda: Reach(""))
    port: int | None = None


def arrival(own: Sandbox, target: Target) -> list[Step]:
    """Return the checks that the provider has the sandbox, and that it wakes."""

    def known() -> str:
        record = control_plane.sandboxes.get(own.name)
        if record is None or record.status in status.GONE:
            raise StepFailed("The provider no longer has this sandbox.")
        if record.labels.get("manta-owner") != own.labels.get("manta-owner"):
            raise StepFailed("The provider's sandbox of this name belongs to another account.")
        services.sessions.ensure_session(own)
        target.reach = own.reach
        seen = status.from_provider(record.status, record.state)
        return f"The provider says: {seen.label.lower()}."

    def wakes() -> str:
        data_plane.processes.list_processes(target.reach)
        return "It is awake."

    return [
        Step("provider", "Found at the provider", known, "Recreate it in the sandbox panel."),
        Step("wake", "Wake", wakes, "Try again in a minute, then restart it.", ("provider",)),
    ]


def steps(target: Target) -> list[Step]:
    """Return the checks that every sandbox must pass. They leave nothing behind in it."""
    needs = ("provider", "wake", "create")
    start_a_server = "Start a server inside the sandbox, on 0.0.0.0 rather than on 127.0.0.1."
    tried = (
        ("file", "Files", _file, "Free disk space in the sandbox, or restart it.", needs),
        ("process", "Processes", _process, "Restart the sandbox.", needs),
        ("port", "Port", _port, start_a_server, (*needs, "starter")),
        ("preview", "Private preview", _preview, "Try again in a minute.", (*needs, "port")),
        ("mcp", "MCP tools", _mcp, "Restart the sandbox.", needs),
    )
    return [
        Step(code, title, partial(attempt, target), remedy, needed)
        for code, title, attempt, remedy, needed in tried
    ]


def _file(target: Target) -> str:
    word = secrets.token_hex(8)
    path = f"/tmp/manta-check-{word}"  # noqa: S108 (inside the sandbox)
    data_plane.files.write_file(target.reach, path, word)
    try:
        if data_plane.files.read_file(target.reach, path) != word:
            raise StepFailed("A file did not contain what was written to it.")
    finally:
        data_plane.files.delete_file(target.reach, path)
    return "A file was written, read and deleted."


def _process(target: Target) -> str:
    word = secrets.token_hex(8)
    if data_plane.processes.run(target.reach, f"echo {word}", _COMMAND_TIMEOUT).strip() != word:
        raise StepFailed("A command did not print the expected output.")
    return "A command ran."


def _port(target: Target) -> str:
    port = _required_port(target)
    if not data_plane.ports.port_answers(target.reach, port):
        raise StepFailed(f"Nothing responds on port {port}.")
    return f"A server responds on port {port}."


def _preview(target: Target) -> str:
    port = _required_port(target)
    address, token = control_plane.previews.mint_preview_token(target.name, port, _TOKEN_LIFETIME)
    if data_plane.ports.preview_answers(address, ""):
        raise StepFailed("The preview opens without a token: it is open to everyone.")
    if not data_plane.ports.preview_answers(address, token):
        raise StepFailed("The preview does not respond.")
    return "The private preview opens, and only with a token."


def _required_port(target: Target) -> int:
    if target.port is None:
        raise NotApplicable("It has no port.")
    return target.port


def _mcp(target: Target) -> str:
    tools = mcp_tools(target.reach)
    if not tools:
        raise StepFailed("It offers no tools.")
    return f"{len(tools)} tools."
