"""Checks of a connection's permissions, made before a call reaches the sandbox."""

import posixpath
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.urls import reverse

from accounts import tokens
from accounts.agent_permissions import Permissions, normalised
from accounts.models import Capability
from sandboxes import errors
from sandboxes.data_plane import names, trusted

READ, WRITE, RUN, PORTS = Capability.READ, Capability.WRITE, Capability.RUN, Capability.PORTS
# In a call's _meta: the folder that its paths must not leave, percent-encoded. local_blaxel repeats
# it in its answer and holds to it; Blaxel's own server ignores it.
BENEATH = "local_blaxel/beneath"
# Calls a tool of the sandbox itself, whatever the permissions, with metadata.
Ask = Callable[[str, dict[str, Any], dict[str, str]], Awaitable[dict[str, Any]]]


class PermissionDenied(errors.SandboxError):
    status, code = 403, "permission_denied"


@dataclass(frozen=True)
class Needs:
    capabilities: frozenset[str]
    # The arguments that hold a path, or a list of them; "list.key" for a list of objects.
    paths: tuple[str, ...] = ()
    # Without any of them it looks at the whole working directory.
    roams: bool = False


def _needs(*capabilities: Capability, paths: tuple[str, ...] = (), roams: bool = False) -> Needs:
    return Needs(frozenset(capabilities), paths, roams)


_REGIONS = ("editRegions.relativeWorkspacePath",)
_ANY_PROCESS = _needs(RUN)
TOOLS = {
    "fsGetWorkingDirectory": _needs(),
    "fsListDirectory": _needs(READ, paths=("path",)),
    "fsReadFile": _needs(READ, paths=("path",)),
    "fsWriteFile": _needs(WRITE, paths=("path",)),
    "fsEditFile": _needs(READ, WRITE, paths=("path",)),
    "fsDeleteFileOrDirectory": _needs(WRITE, paths=("path",)),
    "codegenFileSearch": _needs(READ, paths=("directory",), roams=True),
    "codegenCodebaseSearch": _needs(READ, paths=("targetDirectories",), roams=True),
    "codegenGrepSearch": _needs(READ, roams=True),
    "codegenReadFileRange": _needs(READ, paths=("targetFile",)),
    "codegenListDir": _needs(READ, paths=("relativeWorkspacePath",)),
    "codegenReapply": _needs(READ, WRITE, paths=("targetFile",)),
    "codegenParallelApply": _needs(READ, WRITE, paths=_REGIONS),
    "codegenEditFile": _needs(READ, WRITE, paths=("targetFile",)),
    "codegenRerank": _needs(READ, paths=("path",)),
    **dict.fromkeys(
        (
            "processesList",
            "processExecute",
            "processGet",
            "processGetLogs",
            "processStop",
            "processKill",
        ),
        _ANY_PROCESS,
    ),
    # Manta's own. How the sandbox is, and keeping it, is no reach into it.
    "sandboxStatus": _needs(),
    "sandboxExtend": _needs(),
    "sandboxPreviewUrl": _needs(PORTS),
    "sandboxRestart": _ANY_PROCESS,
}
# Arguments that Manta reads besides paths.
_NAMES = {"name", "identifier", "workingDir"}
# A tool that the provider adds later may do anything.
_UNKNOWN = Needs(frozenset(Capability.values))


def offers(permissions: Permissions, tool: str) -> bool:
    """Return whether the permissions allow any use of a tool."""
    needs = TOOLS.get(tool, _UNKNOWN)
    held = bool(permissions.path_prefix) and needs is _UNKNOWN
    return (
        not held and not permissions.has_expired and needs.capabilities <= permissions.capabilities
    )


def check(grant: tokens.Grant, tool: str) -> None:
    """Raise PermissionDenied where the tool itself is not allowed."""
    permissions = grant.permissions
    if permissions.has_expired:
        raise _refused(grant, "The permissions of this connection have expired.")
    if not offers(permissions, tool):
        missing = TOOLS.get(tool, _UNKNOWN).capabilities - permissions.capabilities
        wanted = ", ".join(f"“{a.label.lower()}”" for a in Capability if a in missing)
        raise _refused(grant, f"This connection may not use {tool}: it lacks {wanted or 'all'}.")


def misspelt(tool: str, arguments: dict[str, Any]) -> str | None:
    """Return an argument that differs in its case alone from one that Manta reads.

    A server in Go, as Blaxel's, takes names in any case and the last of two: what is checked here
    would not be what it reads.
    """
    paths = {part for path in TOOLS.get(tool, _UNKNOWN).paths for part in path.split(".")}
    known = paths | _NAMES
    folded = {name.casefold() for name in known}
    lists = [value for value in arguments.values() if isinstance(value, list)]
    objects = [each for value in lists for each in value if isinstance(each, dict)]
    given = (name for each in (arguments, *objects) for name in each)
    return next((name for name in given if name not in known and name.casefold() in folded), None)


async def within_prefix(
    grant: tokens.Grant, tool: str, arguments: dict[str, Any], ask: Ask
) -> dict[str, Any]:
    """Return the arguments with absolute paths. Raise PermissionDenied for one outside.

    What is forwarded is what was checked, so that no second reading of ".." finds another file.
    """
    prefix, needs = grant.permissions.path_prefix, TOOLS.get(tool, _UNKNOWN)
    if not prefix or not (needs.paths or needs.roams):
        return arguments
    held = meta(grant)
    told = await ask("fsGetWorkingDirectory", {}, held)
    base = str((told.get("structuredContent") or {}).get("path") or "/")
    checked: list[str] = []

    def absolute(path: Any) -> str:
        found = _absolute(path, base)
        if found is None or not grant.permissions.covers(found):
            raise _refused(grant, f"This connection may only use files below {prefix}.")
        checked.append(found)
        return found

    changed = _with_paths(arguments, needs.paths, absolute)
    if not checked:
        absolute(base)
    if (told.get("_meta") or {}).get(BENEATH) != held[BENEATH]:
        await _expect_no_way_out(grant, checked, ask)
    return changed


def meta(grant: tokens.Grant) -> dict[str, str]:
    """Return the part of a call's metadata that limits its paths."""
    prefix = names.raw(grant.permissions.path_prefix)
    return {BENEATH: quote(prefix, errors="surrogateescape")} if prefix else {}


def expect_within(grant: tokens.Grant, result: dict[str, Any]) -> None:
    """Raise PermissionDenied when the sandbox found that a path leads elsewhere."""
    if grant.permissions.path_prefix and (result.get("_meta") or {}).get(BENEATH) == "refused":
        raise _refused(grant, f"A link leads out of {grant.permissions.path_prefix}.")


def writes(tool: str) -> bool:
    needs = TOOLS.get(tool, _UNKNOWN)
    return WRITE in needs.capabilities and bool(needs.paths)


def paths_of(tool: str, arguments: dict[str, Any]) -> list[str]:
    """Every path among a call's arguments, as it was written."""
    found: list[str] = []

    def note(path: Any) -> Any:
        found.append(str(path))
        return path

    _with_paths(arguments, TOOLS.get(tool, _UNKNOWN).paths, note)
    return found


def with_paths(
    tool: str, arguments: dict[str, Any], change: Callable[[Any], Any], also: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return the arguments with every path changed, and those others."""
    return _with_paths(arguments, TOOLS.get(tool, _UNKNOWN).paths + also, change)


def concerns_files(tool: str) -> bool:
    needs = TOOLS.get(tool, _UNKNOWN)
    return bool(needs.paths) or needs.roams


def _absolute(path: Any, base: str) -> str | None:
    """Return the absolute path, or None for what is not plainly a path."""
    if not isinstance(path, str) or "\0" in path or "\n" in path or path.startswith("~"):
        return None
    return normalised(posixpath.join(base, path)) or "/"


def _with_paths(
    arguments: dict[str, Any], names: tuple[str, ...], change: Callable[[Any], Any]
) -> dict[str, Any]:
    changed = dict(arguments)
    for name in names:
        outer, _, inner = name.partition(".")
        value = arguments.get(outer)
        if value is None:
            continue
        if inner and isinstance(value, list):
            changed[outer] = [
                {**item, inner: change(item.get(inner))} if isinstance(item, dict) else change(item)
                for item in value
            ]
        elif isinstance(value, list):
            changed[outer] = [change(item) for item in value]
        else:
            changed[outer] = change(value)
    return changed


async def _expect_no_way_out(grant: tokens.Grant, paths: list[str], ask: Ask) -> None:
    """Check with realpath that paths stay in the prefix where the server inside does not check.

    A link that is exchanged between this and the call is not noticed.
    """
    prefix = grant.permissions.path_prefix
    run = trusted.command(["realpath", "-m", "--", *map(names.raw, (prefix, *paths))])
    run |= {"workingDir": "/", "waitForCompletion": True, "timeout": 10}
    ran = await ask("processExecute", run, {})
    told = str((ran.get("structuredContent") or {}).get("logs") or "").split("\n")
    really = [line for line in told if line.startswith("/")]
    top = really[0].rstrip("/") if really else ""
    inside = [path for path in really if f"{path}/".startswith(f"{top}/")]
    if not top or len(inside) != len(paths) + 1:
        raise _refused(grant, f"A link leads out of {prefix}, or Manta can't tell.")


def _refused(grant: tokens.Grant, why: str) -> PermissionDenied:
    page = settings.MANTA_URL + reverse("accounts:permissions", args=[grant.key])
    return PermissionDenied(f"{why} The account's owner can change this at {page}")
