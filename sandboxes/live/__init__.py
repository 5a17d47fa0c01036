"""The news of one's own sandbox, as a stream of server-sent events, beside Django.

endpoint answers a request, hub knows the open streams and has one thread look for all of them,
look reads what has changed, messages words it, and cursor lets a stream go on after another.
gate is the one entrance of what reaches into a sandbox beside Django.
"""

from sandboxes.live.endpoint import sandbox_stream
from sandboxes.live.gate import guard
from sandboxes.live.hub import hub
from sandboxes.live.path import PATH

__all__ = ["PATH", "guard", "hub", "sandbox_stream"]
