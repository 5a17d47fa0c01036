"""Policy for the addresses that sandboxes may connect to, applied after name resolution."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from local_blaxel.egress import rules

Resolve = Callable[[str], Awaitable[list[str]]]

HINT = "Who runs local_blaxel can allow it with LOCAL_BLAXEL_EGRESS_ALLOW."
RESOLVE_SECONDS = 10.0
REMEMBERED_SECONDS = 60.0
MAX_NAME_LENGTH = 253


class Refusal(Exception):
    """Raised with the response to the program inside instead of a connection."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class SystemResolver:
    """getaddrinfo in threads of its own: a slow name server holds up nothing else."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(8, "resolve")

    async def __call__(self, host: str) -> list[str]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._threads, _look_up, host)
        except (OSError, UnicodeError):
            return []
        return list(dict.fromkeys(str(each[4][0]) for each in found))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str) -> list[tuple[Any, ...]]:
    return list(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM))


class AllowList:
    """Hosts, each with or without a port, whose addresses are allowed whatever they are.

    An address is allowed for every name: one mirror answers for several hosts, and the name in a
    tunnel is only what the program inside says.
    """

    def __init__(self, entries: Iterable[str], resolve: Resolve) -> None:
        self._entries = [_parsed(entry) for entry in entries]
        self._resolve = resolve
        self._known: dict[str, tuple[float, list[str]]] = {}

    async def admits(self, address: str, port: int) -> bool:
        hosts = {host for host, only in self._entries if only in (None, port)}
        return any([address in await self._addresses(host) for host in sorted(hosts)])

    async def _addresses(self, host: str) -> list[str]:
        until, addresses = self._known.get(host, (0.0, []))
        if until < time.monotonic():
            addresses = await self._resolve(host)
            self._known[host] = (time.monotonic() + REMEMBERED_SECONDS, addresses)
        return addresses


def _parsed(entry: str) -> tuple[str, int | None]:
    host, _, port = entry.rpartition(":")
    if port.isdecimal() and host and (":" not in host or host.startswith("[")):
        return host.strip("[]").lower(), int(port)
    return entry.strip("[]").lower(), None


class Policy:
    def __init__(self, allowed: asyncio.Future[AllowList], resolve: Resolve) -> None:
        """`allowed` may take its time: it is waited for where it decides."""
        self._allowed = allowed
        self._resolve = resolve

    async def addresses(self, host: str, port: int, network: dict[str, Any]) -> list[str]:
        """Return the addresses to connect to for a host; connect to these, without resolving again.

        Raises Refusal, which names the rule.
        """
        host = host.lower().rstrip(".")
        if rule := rules.of_name(host, network):
            raise Refusal(403, f"This sandbox may not reach {host}: {rule}.")
        found = await self._resolved(host)
        permitted = [each for each in found if await self._permits(each, port)]
        if not permitted:
            rule = f"{found[0]} is {rules.of_address(found[0])}"
            raise Refusal(403, f"A sandbox may not reach {host}:{port}: {rule}. {HINT}")
        return permitted

    async def _permits(self, address: str, port: int) -> bool:
        if not rules.of_address(address):
            return True
        # Shielded: all clients share it, and one that goes away must not cancel it.
        allowed = await asyncio.shield(self._allowed)
        return await allowed.admits(address, port)

    async def _resolved(self, host: str) -> list[str]:
        found: list[str] = []
        if len(host) <= MAX_NAME_LENGTH:
            try:
                async with asyncio.timeout(RESOLVE_SECONDS):
                    found = await self._resolve(host)
            except TimeoutError:
                raise Refusal(504, f"The address of {host} was not found in time.") from None
        if not found:
            raise Refusal(502, f"There is no address for {host[:MAX_NAME_LENGTH]}.")
        return found
