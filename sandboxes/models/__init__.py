"""Rows of the sandboxes, and the record of what was done to them."""

from sandboxes.models.breaker import Breaker
from sandboxes.models.event import Action, SandboxEvent
from sandboxes.models.heartbeat import Heartbeat
from sandboxes.models.installation import Installation
from sandboxes.models.orphan import Orphan
from sandboxes.models.public_port import PublicPort
from sandboxes.models.quota import Creation, Quota
from sandboxes.models.reminder import Reminder
from sandboxes.models.sandbox import WATCHED_FOR, Sandbox, Step, default_ports
from sandboxes.models.status import Phase
from sandboxes.models.terminal import Terminal
from sandboxes.models.tool_call import ToolCall

__all__ = [
    "WATCHED_FOR",
    "Action",
    "Breaker",
    "Creation",
    "Heartbeat",
    "Installation",
    "Orphan",
    "Phase",
    "PublicPort",
    "Quota",
    "Reminder",
    "Sandbox",
    "SandboxEvent",
    "Step",
    "Terminal",
    "ToolCall",
    "default_ports",
]
