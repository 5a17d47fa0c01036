"""Manta's own tools for agents, beside those of the sandbox. No tool takes a sandbox."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from sandboxes import control_plane, errors, services
from sandboxes.models import Sandbox
from sandboxes.presenters.serializers import SandboxSerializer, stamp


@dataclass(frozen=True)
class Tool:
    name: str
    description: str
    run: Callable[[Sandbox, dict[str, Any]], dict[str, Any]]
    properties: dict[str, Any]
    # It waits for the provider, in threads that do nothing else.
    asks_provider: bool = False

    def described(self) -> dict[str, Any]:
        schema = {
            "type": "object",
            "properties": self.properties,
            "required": list(self.properties),
            "additionalProperties": False,
        }
        return {"name": self.name, "description": self.description, "inputSchema": schema}

    def result(self, sandbox: Sandbox, arguments: dict[str, Any]) -> dict[str, Any]:
        """Raises a SandboxError for what can't be done."""
        output = self.run(sandbox, arguments)
        return {
            "content": [{"type": "text", "text": json.dumps(output)}],
            "structuredContent": output,
        }


def _status(sandbox: Sandbox, arguments: dict[str, Any]) -> dict[str, Any]:
    expires = stamp(sandbox.expires_at) if sandbox.expires_at else None
    ports = [port["target"] for port in sandbox.ports]
    return {**SandboxSerializer(sandbox).data, "expiresAt": expires, "previewPorts": ports}


def _preview_url(sandbox: Sandbox, arguments: dict[str, Any]) -> dict[str, Any]:
    port = arguments.get("port", 0)
    ports = [configured["target"] for configured in sandbox.ports]
    if port not in ports:
        listed = ", ".join(map(str, ports))
        raise errors.PortClosed(f"Only these ports have a preview: {listed}.")
    return {
        "url": control_plane.previews.ensure_preview(sandbox.name, port),
        "note": "Private: the owner opens it with Open in Manta, not by the address alone.",
        "manta": reverse("sandboxes:workspace"),
    }


def _extend(sandbox: Sandbox, arguments: dict[str, Any]) -> dict[str, Any]:
    services.expiry.extend_sandbox(sandbox=sandbox, actor=sandbox.owner)
    until = sandbox.extended_until
    return {"keptUntil": stamp(until) if until else None}


def _restart(sandbox: Sandbox, arguments: dict[str, Any]) -> dict[str, Any]:
    services.restarts.restart_sandbox(sandbox=sandbox, actor=sandbox.owner)
    return {
        "restarting": True,
        "note": "All processes are stopped; files are kept. It takes a few seconds.",
    }


_PORT = {
    "type": "integer",
    "minimum": 1,
    "maximum": 65535,
    "description": "The port inside the sandbox.",
}

TOOLS = {
    tool.name: tool
    for tool in (
        Tool("sandboxStatus", "Get the status of the sandbox, and when it expires.", _status, {}),
        Tool(
            "sandboxPreviewUrl",
            "Get the address at which the owner can open a port of the sandbox.",
            _preview_url,
            {"port": _PORT},
            asks_provider=True,
        ),
        Tool(
            "sandboxExtend",
            "Extend the expiry of the sandbox to its full lifetime from now.",
            _extend,
            {},
        ),
        Tool(
            "sandboxRestart",
            "Restart the sandbox: stop every process and start its server again. Files are kept.",
            _restart,
            {},
        ),
    )
}
