"""Caller of a tool: the person it acts for, and their sandbox, made ready for the call."""

import asyncio
from collections.abc import Callable

from accounts import tokens
from manta.core.database import Answer, run_in_db_thread
from sandboxes import errors, services
from sandboxes.models import Phase, Sandbox

# Seconds that a call waits for a sandbox that is being made, and between its looks.
_WAIT = 20.0
_POLL_EVERY = 0.25


class Caller:
    """One call's; it looks the sandbox up once."""

    def __init__(self, grant: tokens.Grant) -> None:
        self.grant = grant
        self._sandbox: Sandbox | None = None

    async def does(self, work: Callable[[], Answer]) -> Answer:
        """Have something done in the person's name, recorded as their token's."""

        def acting() -> Answer:
            with tokens.acting_with(self.grant):
                return work()

        return await run_in_db_thread(acting)

    async def sandbox(self) -> Sandbox:
        """Their sandbox, ready to be used; one is made where there is none.

        Raises a SandboxError that says what to do.
        """
        self._sandbox = self._sandbox or await self._ready()
        return self._sandbox

    async def _ready(self) -> Sandbox:
        deadline = asyncio.get_running_loop().time() + _WAIT
        user = self.grant.user
        sandbox = await self.does(self._read)
        if sandbox is None or sandbox.phase in (Phase.GONE, Phase.FAILED):
            sandbox = await self.does(lambda: services.provisioning.initialize_sandbox(user=user))
        while sandbox.is_settling and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(_POLL_EVERY)
            sandbox = await self.does(self._read) or sandbox
        if sandbox.phase == Phase.FAILED:
            raise errors.NotMade(sandbox.error_message, code=sandbox.error_code)
        if sandbox.phase != Phase.READY or not sandbox.url:
            raise errors.SandboxBusy("The sandbox is being created. Try again in a few seconds.")
        return sandbox

    def _read(self) -> Sandbox | None:
        found: Sandbox | None = Sandbox.objects.get_for_user(self.grant.user)
        if found and found.phase == Phase.READY:
            services.row_updates.touch(found)  # an agent's work is its owner's use
        return found
