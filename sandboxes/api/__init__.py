"""The REST API of one's own sandbox, one module a resource."""

from sandboxes.api.events import SandboxEvents
from sandboxes.api.init import SandboxInit

__all__ = ["SandboxEvents", "SandboxInit"]
