"""A sandbox's own API: files, processes, ports. Every call here wakes the sandbox."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import quote

import httpx

from manta import request_id
from sandboxes import errors, gateway

# Seconds; longer than the starter may take to listen.
TIMEOUT = httpx.Timeout(20, connect=3)


@cache
def _client() -> httpx.Client:
    return httpx.Client(
        timeout=TIMEOUT,
        headers=gateway.data_plane_headers(),
        event_hooks={"request": [gateway.name_request]},
    )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except httpx.HTTPError as exc:
        raise errors.ProviderUnavailable(
            f"Your sandbox is not answering. {errors.TRIES_AGAIN}"
        ) from exc


def _request(method: str, url: str, **options: Any) -> httpx.Response:
    with _translated():
        response = _client().request(method, url, **options)
    if response.status_code in (401, 403):
        raise errors.BadCredentials("The sandbox does not accept Manta's key.")
    if response.status_code >= 500:
        raise errors.ProviderUnavailable(
            f"Your sandbox could not do this just now. {errors.TRIES_AGAIN}"
        )
    return response


def _expect_success(response: httpx.Response, what: str) -> None:
    if response.status_code >= 400:
        raise errors.ProviderRejected(f"The sandbox refused to {what} ({response.status_code}).")


def file_exists(url: str, path: str) -> bool:
    """Whether there is something at an absolute path."""
    response = _request("GET", f"{url}/filesystem/{path}")
    if response.status_code != 404:
        _expect_success(response, "read a file")
    return response.status_code != 404


def read_file(url: str, path: str) -> str:
    """The text of the file at an absolute path."""
    response = _request("GET", f"{url}/filesystem/{path}")
    _expect_success(response, "read a file")
    return str(response.json().get("content"))


def write_file(url: str, path: str, text: str) -> None:
    response = _request("PUT", f"{url}/filesystem/{path}", json={"content": text})
    _expect_success(response, "write a file")


def delete_file(url: str, path: str) -> None:
    """Nothing happens when there is none."""
    response = _request("DELETE", f"{url}/filesystem/{path}")
    if response.status_code != 404:
        _expect_success(response, "delete a file")


def write_tree(url: str, folder: str, files: dict[str, str]) -> None:
    """Write text files, given by their paths below an absolute folder."""
    response = _request("PUT", f"{url}/filesystem/tree{folder}", json={"files": files})
    _expect_success(response, "write files")


def processes(url: str) -> list[dict[str, Any]]:
    """Running and finished processes, as Blaxel's ProcessResponse."""
    response = _request("GET", f"{url}/process")
    _expect_success(response, "list processes")
    found: list[dict[str, Any]] = response.json()
    return found


def start_process(url: str, process: dict[str, Any]) -> bool:
    """Start a process from the fields of Blaxel's POST /process.

    Returns whether the ports in waitForPorts listened before its timeout.
    """
    response = _request("POST", f"{url}/process", json=process)
    if response.status_code == 422 and "waiting for ports" in response.text:
        return False
    _expect_success(response, "start a process")
    return True


def kill_process(url: str, identifier: str) -> None:
    """End a process and its children at once; nothing happens when it has ended."""
    response = _request("DELETE", f"{url}/process/{quote(identifier, safe='')}/kill")
    if response.status_code != 404:
        _expect_success(response, "end a process")


def run(url: str, command: str, timeout: int) -> str:
    """Run a shell command to its end; returns what it wrote to stdout.

    Raises ProviderUnavailable when it has not ended after timeout seconds.
    """
    process = {"command": command, "waitForCompletion": True, "timeout": timeout}
    response = _request("POST", f"{url}/process", json=process)
    if response.status_code == 422:
        raise errors.ProviderUnavailable("A command in your sandbox did not end in time.")
    _expect_success(response, "run a command")
    return str(response.json().get("stdout") or "")


def port_answers(url: str, port: int) -> bool:
    """Whether something listens on the port inside the sandbox."""
    with _translated(), _client().stream("GET", f"{url}/port/{port}/") as response:
        if response.status_code == 404 and _is_from_gateway(response):
            raise errors.SandboxGone("Your sandbox is no longer there. Recreate it in the panel.")
        return response.status_code not in (502, 503, 504)


def preview_answers(address: str, token: str) -> bool:
    """Whether a private preview lets in who has the token ("" for none), to a server that answers.

    Asked without Manta's own key, as a visitor does.
    """
    headers = {"X-Blaxel-Preview-Token": token} if token else {}
    with _translated():
        response = httpx.get(address, headers=headers | request_id.headers(), timeout=TIMEOUT)
    refused = response.status_code in (401, 403, 502, 503, 504)
    return not (refused or _is_from_gateway(response))


def mcp_tools(url: str) -> list[str]:
    """The names of the tools that the sandbox offers over MCP."""
    hello = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "manta", "version": "1"},
    }
    _mcp(url, {"id": 1, "method": "initialize", "params": hello})
    _mcp(url, {"method": "notifications/initialized"})
    answer = _mcp(url, {"id": 2, "method": "tools/list", "params": {}})
    return [str(tool["name"]) for tool in answer["result"]["tools"]]


def _mcp(url: str, message: dict[str, Any]) -> dict[str, Any]:
    accepted = {"Accept": "application/json, text/event-stream"}
    response = _request("POST", f"{url}/mcp", json={"jsonrpc": "2.0", **message}, headers=accepted)
    _expect_success(response, "speak MCP")
    if "id" not in message:
        return {}
    try:
        answer: dict[str, Any] = response.json()
    except ValueError as exc:
        raise errors.ProviderUnavailable("The sandbox's answer over MCP made no sense.") from exc
    if "result" not in answer:
        raise errors.ProviderRejected("The sandbox refused a request over MCP.")
    return answer


def _is_from_gateway(response: httpx.Response) -> bool:
    """Whether the provider's gateway says it, and not the app on the port."""
    try:
        body = response.read() and response.json()
    except ValueError:
        return False
    return isinstance(body, dict) and isinstance(body.get("error"), dict)
