"""Revocation check: what is open longer than a request ends with the sign-in or the token."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from django.db import Error as DatabaseError

from accounts import agent_permissions, sessions, tokens
from accounts.sessions import SignIn
from manta.core.database import run_in_db_thread

logger = logging.getLogger(__name__)

# Seconds between two looks at whether what is open is still allowed.
_RECHECK_EVERY = 1.0


@dataclass(frozen=True)
class Credential:
    """A sign-in or a token, by which something is open."""

    sign_in: SignIn | None = None
    grant: tokens.Grant | None = None
    # As an agent's; it ends with the agent's permissions, too.
    is_agents: bool = False


class RevocationWatcher:
    """Checks, for all that is open in this process, for sign-outs and revocation_watcher."""

    def __init__(self) -> None:
        self._open: dict[asyncio.Event, Credential] = {}
        self._task: asyncio.Task[None] | None = None
        # Set when the process ends, which ends no sign-in.
        self.is_stopping = False

    @asynccontextmanager
    async def watching(self, credential: Credential) -> AsyncIterator[asyncio.Event]:
        """Yields an event that is set once this is no longer allowed, or the process ends."""
        ended = asyncio.Event()
        self._open[ended] = credential
        if self.is_stopping:
            ended.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look())
        try:
            yield ended
        finally:
            self._open.pop(ended, None)

    def stop(self) -> None:
        """End all: uvicorn would wait for them."""
        self.is_stopping = True
        for ended in self._open:
            ended.set()

    async def _look(self) -> None:
        while self._open:
            before = dict(self._open)
            await asyncio.sleep(_RECHECK_EVERY)
            # An agent's call is mostly over by now, and costs no look.
            lasting = {each: before[each] for each in before if each in self._open}
            try:
                if lasting:
                    await self._end_revoked(lasting)
            except DatabaseError as exc:
                logger.warning("It is not known who has signed out: %s", exc)

    async def _end_revoked(self, lasting: dict[asyncio.Event, Credential]) -> None:
        revoked = await run_in_db_thread(lambda: _revoked(set(lasting.values())))
        for ended, credential in lasting.items():
            if credential in revoked:
                ended.set()


def _revoked(credentials: set[Credential]) -> set[Credential]:
    gone = sessions.ended({each.sign_in for each in credentials if each.sign_in})
    valid = tokens.still_valid({each.grant.key for each in credentials if each.grant})
    agents = {each.grant.key for each in credentials if each.grant and each.is_agents}
    valid -= agent_permissions.expired(agents) if agents else set()
    return {
        each
        for each in credentials
        if each.sign_in in gone or (each.grant and each.grant.key not in valid)
    }


revocation_watcher = RevocationWatcher()
