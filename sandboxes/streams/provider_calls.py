"""Calls to the provider that streams and agents wait for, apart from what admits others.

A provider that hangs holds a thread for some seconds. These have their own, and each user few at
once, so that all others are still authenticated and find their sandboxes.
"""

from collections.abc import Callable

from manta.core.database import Answer, while_provider_answers
from sandboxes import services
from sandboxes.models import Sandbox
from sandboxes.streams.limits import PerUserQueue

# Of one user, in this process; further ones wait for these.
AT_ONCE = 2
_queue = PerUserQueue(AT_ONCE)


async def ask_provider(sandbox: Sandbox, work: Callable[[], Answer]) -> Answer:
    """Do what waits for the provider, for the owner of the sandbox."""
    async with _queue.turn(sandbox.owner_id):
        return await while_provider_answers(work)


async def ensure_session(sandbox: Sandbox) -> None:
    """Open a session with the sandbox where there is none that works. Raises a ProviderError."""
    if not sandbox.has_session:
        await ask_provider(sandbox, lambda: services.sessions.ensure_session(sandbox))
