"""Admin site of sandboxes.

Everything here reads Manta's own rows; no page calls the provider or wakes a sandbox.
"""

from sandboxes.admin.breaker import BreakerAdmin
from sandboxes.admin.event import SandboxEventAdmin
from sandboxes.admin.orphan import OrphanAdmin
from sandboxes.admin.quota import QuotaAdmin
from sandboxes.admin.sandbox import SandboxAdmin
from sandboxes.admin.tool_call import ToolCallAdmin

__all__ = [
    "BreakerAdmin",
    "OrphanAdmin",
    "QuotaAdmin",
    "SandboxAdmin",
    "SandboxEventAdmin",
    "ToolCallAdmin",
]
