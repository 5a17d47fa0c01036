"""Connections that are kept open to one place inside a sandbox, for the next request."""

import asyncio
from collections.abc import Awaitable, Callable

from local_blaxel.upstream import Connection

KEPT = 16
# Less than the time after which the agent's server closes an idle connection.
AGENT_KEPT_FOR = 3.0
# A server that answers one connection after the other leaves all others waiting meanwhile.
PORT_KEPT_FOR = 1.0


class Pool:
    """Idle connections to one place.

    Where a server may answer one connection after the other, one is kept only while no request
    waits on another, until it is seen that the server answers two at once. Where it may close one
    that is idle, only what can be asked again goes over a kept one. The agent does neither.
    """

    def __init__(
        self, dial: Callable[[], Awaitable[Connection]], kept_for: float, *, is_agents: bool = False
    ) -> None:
        self._dial = dial
        self._kept_for = kept_for
        self._is_agents = self._answers_several = is_agents
        self._idle: dict[Connection, asyncio.TimerHandle] = {}
        # Whether its answer has begun.
        self._taken: dict[Connection, bool] = {}

    async def take(self, *, may_repeat: bool = False, is_new: bool = False) -> Connection:
        """A connection for a request, which may be asked again or not. Raises what dial does."""
        while self._idle and (may_repeat or self._is_agents) and not is_new:
            connection, timer = self._idle.popitem()
            timer.cancel()
            if connection.can_be_used_again():
                connection.is_used_again = True
                self._taken[connection] = False
                return connection
            connection.close()
        self.make_way()
        connection = await self._dial()
        self._taken[connection] = False
        return connection

    def make_way(self) -> None:
        """Close what is idle where it may keep the server from answering another connection."""
        if not self._answers_several:
            self.close()

    def note_answer(self, connection: Connection) -> None:
        """Note that an answer began, perhaps while another connection could still be asked."""
        self._answers_several |= bool(self._idle) or any(self._taken.values())
        self._taken[connection] = True

    def give_back(self, connection: Connection) -> None:
        self._taken.pop(connection, None)
        may_keep = self._answers_several or not self._taken
        if may_keep and len(self._idle) < KEPT and connection.can_be_used_again():
            loop = asyncio.get_running_loop()
            self._idle[connection] = loop.call_later(self._kept_for, self._drop, connection)
        else:
            connection.close()

    def _drop(self, connection: Connection) -> None:
        if self._idle.pop(connection, None) is not None:
            connection.close()

    def close(self) -> None:
        """Close those that are idle."""
        for connection, timer in self._idle.items():
            timer.cancel()
            connection.close()
        self._idle = {}
