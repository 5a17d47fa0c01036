"""Listening ports inside the sandbox, and connections to them from outside."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import socket
import struct
import sys
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .wire import ApiError, Json

POLL_SECONDS = 0.05
DIAL_SECONDS = 5.0
LOOPBACKS = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))

# linux/sock_diag.h, linux/inet_diag.h and linux/netlink.h
NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST_DUMP = 0x301
NLMSG_ERROR, NLMSG_DONE = 2, 3
TCP_LISTEN = 10
HEADER = struct.Struct("=LHHLL")
REQUEST = struct.Struct("=BBBBI48x")
MESSAGE = struct.Struct("=BBBB2s2s16s16s16xIIII")


class Listener(NamedTuple):
    address: str
    port: int
    inode: int

    @property
    def is_loopback(self) -> bool:
        return self.address.startswith(("127.", "::ffff:127.")) or self.address == "::1"


def listeners() -> list[Listener]:
    """The TCP sockets that listen in this network namespace: one netlink question, not /proc."""
    if sys.platform != "linux":
        return []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as netlink:
        return [
            listener
            for family in (socket.AF_INET, socket.AF_INET6)
            for listener in _ask(netlink, family)
        ]


def _ask(netlink: socket.socket, family: int) -> Iterator[Listener]:
    request = REQUEST.pack(family, socket.IPPROTO_TCP, 0, 0, 1 << TCP_LISTEN)
    length = HEADER.size + len(request)
    netlink.send(HEADER.pack(length, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST_DUMP, 1, 0) + request)
    while True:
        answer = netlink.recv(2**16)
        while answer:
            length, kind, *_ = HEADER.unpack_from(answer)
            if kind in (NLMSG_DONE, NLMSG_ERROR):
                return
            yield _listener(answer[HEADER.size : length])
            answer = answer[(length + 3) & ~3 :]


def _listener(message: bytes) -> Listener:
    family, _, _, _, port, _, source, *_, inode = MESSAGE.unpack_from(message)
    size = 4 if family == socket.AF_INET else 16
    return Listener(socket.inet_ntop(family, source[:size]), int.from_bytes(port, "big"), inode)


async def wait_for_ports(ports: Iterable[int]) -> None:
    """Return once each port has a listener that Blaxel's edge could reach: not only on loopback."""
    wanted = set(ports)
    while not wanted <= {found.port for found in listeners() if not found.is_loopback}:
        await asyncio.sleep(POLL_SECONDS)


async def dial(port: int) -> socket.socket:
    """A connection to the port from inside. Raises ConnectionRefusedError."""
    for family, address in LOOPBACKS:
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.setblocking(False)
        try:
            async with asyncio.timeout(DIAL_SECONDS):
                await asyncio.get_running_loop().sock_connect(connection, (address, port))
        except OSError:
            connection.close()
            continue
        return connection
    raise ConnectionRefusedError(errno.ECONNREFUSED, f"nothing listens on port {port}")


async def process_ports(request: Request) -> Response:
    text = request.path_params["pid"]
    if not text.isascii() or not text.isdigit():
        raise ApiError(400, "pid must be a number")
    pid = int(text)
    held = _sockets_of(pid)
    ports = [_describe(pid, found) for found in listeners() if found.inode in held]
    return Json({"pid": pid, "ports": ports})


def _sockets_of(pid: int) -> set[int]:
    folder = f"/proc/{pid}/fd"
    try:
        links = [os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder)]
    except OSError:
        return set()
    matches = (re.fullmatch(r"socket:\[(\d+)\]", link) for link in links)
    return {int(match[1]) for match in matches if match}


def _name_of(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/comm") as comm:
            return comm.read().strip()
    except OSError:
        return ""


def _describe(pid: int, listener: Listener) -> dict[str, Any]:
    return {
        "pid": pid,
        "protocol": "tcp",
        "localAddr": listener.address,
        "localPort": listener.port,
        "remoteAddr": "",
        "remotePort": 0,
        "state": "LISTEN",
        "processName": _name_of(pid),
    }


def routes() -> list[Route]:
    return [Route("/network/process/{pid}/ports", process_ports, methods=["GET"])]
