"""The tools for files and folders."""

import asyncio
from weakref import WeakKeyDictionary

from local_blaxel.mcp import text_edits
from local_blaxel.mcp.agent import Agent, ToolError, at
from local_blaxel.mcp.tool import Given, Output, Tool, flag, text
from local_blaxel.sandbox import Sandbox

FILES = "/filesystem"

# One edit at a time in a sandbox: two that read before either writes would lose one.
_editing: WeakKeyDictionary[Sandbox, asyncio.Lock] = WeakKeyDictionary()


async def _working_directory(agent: Agent, given: Given) -> Output:
    # Its name alone is told, also to a caller that may not look into it, or where nobody may.
    health = await Agent(agent.sandbox).call("GET", "/health")
    if "workingDir" in health:
        return {"path": health["workingDir"]}
    # An agent that runs since before an upgrade of local_blaxel does not tell it.
    return {"path": (await Agent(agent.sandbox).call("GET", FILES))["path"]}


async def list_directory(agent: Agent, path: str) -> Output:
    listing: Output = await agent.call("GET", at(FILES, path))
    if "subdirectories" not in listing:
        raise ToolError(f"{path} is not a directory")
    return listing


async def read_text(agent: Agent, path: str) -> str:
    """The file as it is. Raises ToolError when it is not text."""
    data = await agent.fetch("GET", at(FILES, path), query={"download": "true"})
    try:
        return data.decode()
    except UnicodeDecodeError as exc:
        raise ToolError(f"{path} is not a text file in UTF-8") from exc


async def _list(agent: Agent, given: Given) -> Output:
    return {"directory": await list_directory(agent, given["path"])}


async def _read(agent: Agent, given: Given) -> Output:
    file: Output = await agent.call("GET", at(FILES, given["path"]))
    if "content" not in file:
        raise ToolError(f"{given['path']} is a directory")
    if "\N{REPLACEMENT CHARACTER}" in file["content"]:
        # It may stand for bytes that are no text: written back, the file would have lost them.
        await read_text(agent, given["path"])
    return file | {"name": file["path"]}


async def _write(agent: Agent, given: Given) -> Output:
    body = {key: value for key, value in given.items() if key != "path"}
    done: Output = await agent.call("PUT", at(FILES, given["path"]), body)
    return done


async def _edit(agent: Agent, given: Given) -> Output:
    path, old, new = given["path"], given["oldString"], given["newString"]
    if not old:
        raise ToolError("oldString must not be empty")
    if old == new:
        raise ToolError("oldString and newString are identical")
    async with _editing.setdefault(agent.sandbox, asyncio.Lock()):
        before = await read_text(agent, path)
        after, count = await asyncio.to_thread(text_edits.replaced, before, old, new)
        if not count:
            raise ToolError(f"oldString was not found in {path}")
        if count > 1 and not given.get("replaceAll"):
            raise ToolError(
                f"oldString was found {count} times in {path}: make it unique, or set replaceAll"
            )
        await agent.call("PUT", at(FILES, path), {"content": after})
    return {"path": path, "occurrencesReplaced": count}


async def _delete(agent: Agent, given: Given) -> Output:
    query = {"recursive": str(given.get("recursive", False)).lower()}
    done: Output = await agent.call("DELETE", at(FILES, given["path"]), query=query)
    return done


_PATH = {"path": text("Absolute, or relative to the sandbox's working directory.")}

TOOLS = (
    Tool("fsGetWorkingDirectory", "Say where relative paths start.", _working_directory),
    Tool("fsListDirectory", "List a folder, one level deep.", _list, _PATH, ("path",)),
    Tool("fsReadFile", "Read a text file.", _read, _PATH, ("path",)),
    Tool(
        "fsWriteFile",
        "Write a file whole, or make a folder. Missing parents are made.",
        _write,
        _PATH
        | {
            "content": text("What the file is to hold."),
            "permissions": text("Octal digits, such as 0644."),
            "isDirectory": flag("Make a folder instead of a file."),
        },
        ("path",),
    ),
    Tool(
        "fsEditFile",
        "Replace a piece of text in a file. It must occur once, unless replaceAll is set.",
        _edit,
        _PATH
        | {
            "oldString": text("The text as it is in the file, to the last space."),
            "newString": text("The text to put in its place."),
            "replaceAll": flag("Replace it wherever it occurs."),
        },
        ("path", "oldString", "newString"),
    ),
    Tool(
        "fsDeleteFileOrDirectory",
        "Delete a file or a folder.",
        _delete,
        _PATH
        | {
            "isDirectory": flag("Say that it is a folder; it is seen anyway."),
            "recursive": flag("Delete a folder with all that is in it."),
        },
        ("path",),
    ),
)
