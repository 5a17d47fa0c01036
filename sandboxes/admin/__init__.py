"""What an admin sees and does.

Everything here reads Manta's own rows; no page calls the provider or wakes a sandbox.
"""

from sandboxes.admin.event import SandboxEventAdmin
from sandboxes.admin.orphan import OrphanAdmin
from sandboxes.admin.quota import QuotaAdmin
from sandboxes.admin.sandbox import SandboxAdmin

__all__ = ["OrphanAdmin", "QuotaAdmin", "SandboxAdmin", "SandboxEventAdmin"]
