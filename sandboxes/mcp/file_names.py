"""File names in the calls of agents: as Manta shows them, whatever bytes they are made of.

The sandbox's own tools take and tell raw paths. In the text of a result, which is JSON,
local_blaxel escapes bytes that are not UTF-8 as lone surrogates, which MCP's own JSON may not have.
Blaxel's server replaces them: nothing brings them back.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from manta.core import json_values
from manta.core.computing import in_thread
from sandboxes.data_plane import names
from sandboxes.mcp import permissions

_FOLDER = "workingDir"
# The keys of a result under which there are paths, or lists of them; a process has one alone.
_PATHS = {"path", "name", "file", "filePath", "matches"}
_OF_PROCESSES = {_FOLDER}
_ODD_FOLDER = re.compile(rf'"{_FOLDER}": "[^"]*?(?:%|\\udc)')
# Lines that were found, in one text: each begins with its file's path and its number.
_LINES, _PLACE = "results", re.compile(r"^[^:\n]++(?=:\d+:)", re.MULTILINE)


def raw(tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return a call's arguments for the sandbox."""
    return permissions.with_paths(tool, arguments, _if_text(names.raw), also=(_FOLDER,))


async def told(tool: str, result: dict[str, Any]) -> dict[str, Any]:
    """Return a result for the agent."""
    text = _text_of(result)
    if permissions.concerns_files(tool):
        keys, is_odd = _PATHS, "%" in text or "\\udc" in text
    else:
        keys, is_odd = _OF_PROCESSES, _ODD_FOLDER.search(text) is not None
    return await in_thread(_told, result, text, keys) if is_odd else result


def _text_of(result: dict[str, Any]) -> str:
    content = result.get("content")
    first = content[0] if isinstance(content, list) and len(content) == 1 else None
    text = first.get("text") if isinstance(first, dict) else None
    return text if isinstance(text, str) else ""


def _told(result: dict[str, Any], text: str, keys: set[str]) -> dict[str, Any]:
    try:
        output = _shown(json_values.loads(text.encode(errors="replace")), "", keys)
    except (ValueError, RecursionError):
        return result
    if not isinstance(output, dict):
        return result
    content = [{**result["content"][0], "text": json.dumps(output, ensure_ascii=False)}]
    return {**result, "content": content, "structuredContent": output}


def _shown(value: Any, key: str, keys: set[str]) -> Any:
    if isinstance(value, dict):
        return {name: _shown(each, name, keys) for name, each in value.items()}
    if isinstance(value, list):
        return [_shown(each, key, keys) for each in value]
    if not isinstance(value, str):
        return value
    if key in keys:
        return names.told(value)
    if key == _LINES and keys is _PATHS:
        value = _PLACE.sub(lambda found: names.told(found[0]), value)
    return names.without_lone(value)


def _if_text(change: Callable[[str], str]) -> Callable[[Any], Any]:
    return lambda value: change(value) if isinstance(value, str) else value
