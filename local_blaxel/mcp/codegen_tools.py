"""The tools for code: search and read, and those that need a model's provider."""

import json
import re

from local_blaxel.mcp.agent import Agent, ToolError, at
from local_blaxel.mcp.file_tools import list_directory, read_text
from local_blaxel.mcp.tool import (
    Given,
    Output,
    Schema,
    Tool,
    a_list,
    an_object,
    flag,
    number,
    text,
    whole,
)

KEYS = ("RELACE_API_KEY", "MORPH_API_KEY")
NO_KEY = (
    "codegen tools are not configured, follow this documentation to configure it: "
    "https://docs.blaxel.ai/Sandboxes/Codegen"
)
MAX_FILES, MAX_LINES, MAX_LINE_LENGTH, MAX_RANGE = 10, 100, 500, 250
MAX_WORDS = 6
_GREP_OPTIONS = ("query", "caseSensitive", "includePattern", "excludePattern")


async def _find_files(agent: Agent, given: Given) -> Output:
    query = {"query": given["query"], "maxResults": str(MAX_FILES)}
    found = await agent.call(
        "GET", at("/filesystem-search", given.get("directory", "")), query=query
    )
    matches = [match["path"] for match in found["matches"]]
    return {"success": True, "matches": matches, "query": given["query"]}


async def _search_codebase(agent: Agent, given: Given) -> Output:
    """Search by the query's words: files with most of them first, each with its best lines."""
    words = list(dict.fromkeys(re.findall(r"\w{3,}", given["query"].lower())))[:MAX_WORDS]
    lines: dict[tuple[str, int], str] = {}
    has: dict[str, set[str]] = {}
    for folder in given.get("targetDirectories") or [""]:
        for word in words:
            query = {"query": word, "maxResults": "200"}
            found = await agent.call("GET", at("/filesystem-content-search", folder), query=query)
            for match in found["matches"]:
                path = f"{folder.rstrip('/')}/{match['path']}" if folder else match["path"]
                lines[path, match["line"]] = match["text"][:MAX_LINE_LENGTH]
                has.setdefault(path, set()).add(word)
    best = sorted(has, key=lambda path: (-len(has[path]), path))[:MAX_FILES]
    results = [
        {"path": path, "line": line, "content": content}
        for wanted in best
        for (path, line), content in sorted(lines.items())
        if path == wanted
    ]
    return {"success": True, "results": results[:MAX_LINES], "query": given["query"]}


async def _grep(agent: Agent, given: Given) -> Output:
    query = {name: _plain(given[name]) for name in _GREP_OPTIONS if given.get(name)}
    found = await agent.call("GET", "/codegen/grep", query=query)
    lines = [line.removeprefix("./")[:MAX_LINE_LENGTH] for line in found["lines"]]
    return {"success": True, "results": "\n".join(lines)}


async def _read_range(agent: Agent, given: Given) -> Output:
    first, last = given["startLineOneIndexed"], given["endLineOneIndexedInclusive"]
    if not 1 <= first <= last:
        raise ToolError("the lines must be counted from 1, and the last not be before the first")
    if last - first >= MAX_RANGE:
        raise ToolError(f"at most {MAX_RANGE} lines can be read at once")
    # As every search counts them: splitlines would end lines at other characters, too.
    lines = re.findall(r".*\n|.+\Z", await read_text(agent, given["targetFile"]))
    content = "".join(lines[first - 1 : last])
    return {"success": True, "content": content, "file": given["targetFile"]}


async def _list_dir(agent: Agent, given: Given) -> Output:
    directory = await list_directory(agent, given["relativeWorkspacePath"])
    return {"success": True, "directory": directory}


async def _needs_provider(agent: Agent, given: Given) -> Output:
    if not has_key(agent):
        raise ToolError(NO_KEY)
    raise ToolError("local_blaxel asks no model provider: edit the files with fsEditFile.")


def has_key(agent: Agent) -> bool:
    return any(agent.variables.get(key) for key in KEYS)


async def _edit(agent: Agent, given: Given) -> Output:
    body = {"codeEdit": given["codeEdit"]}
    path = given["targetFile"]
    done = await agent.call("PUT", at("/codegen/fastapply", path), body)
    changed = done.get("originalContent") != done.get("updatedContent")
    return {
        "success": done["success"],
        "message": done["message"],
        "filePath": path,
        "changesApplied": changed,
    }


async def _rerank(agent: Agent, given: Given) -> Output:
    query = {key: _plain(value) for key, value in given.items() if key != "path"}
    done: Output = await agent.call("GET", at("/codegen/reranking", given["path"]), query=query)
    return done


def _plain(value: str | float) -> str:
    return value if isinstance(value, str) else json.dumps(value)


_TARGET = text("The file: absolute, or relative to the sandbox's working directory.")
_REGION: Schema = an_object(
    {
        "relativeWorkspacePath": text("The file to change."),
        "startLine": whole("Where the region starts, from 1."),
        "endLine": whole("Where it ends, inclusive."),
    },
    ("relativeWorkspacePath",),
)

TOOLS = (
    Tool(
        "codegenFileSearch",
        "Find files whose path resembles the query.",
        _find_files,
        {
            "query": text("Letters of the path, in their order."),
            "directory": text("Where to look; otherwise the sandbox's working directory."),
        },
        ("query",),
    ),
    Tool(
        "codegenCodebaseSearch",
        "Find the code that has most of the query's words.",
        _search_codebase,
        {
            "query": text("What is looked for, in words that occur in the code."),
            "targetDirectories": a_list({"type": "string"}, "Where to look."),
        },
        ("query",),
    ),
    Tool(
        "codegenGrepSearch",
        "Find lines that match a regular expression below the working directory.",
        _grep,
        {
            "query": text("The regular expression (Perl's syntax)."),
            "caseSensitive": flag("Tell capital and small letters apart."),
            "includePattern": text("Only files whose name matches this, such as *.ts."),
            "excludePattern": text("No files whose name matches this."),
        },
        ("query",),
    ),
    Tool(
        "codegenReadFileRange",
        f"Read some lines of a file, {MAX_RANGE} at most.",
        _read_range,
        {
            "targetFile": _TARGET,
            "startLineOneIndexed": whole("The first line, from 1."),
            "endLineOneIndexedInclusive": whole("The last line, inclusive."),
        },
        ("targetFile", "startLineOneIndexed", "endLineOneIndexedInclusive"),
    ),
    Tool(
        "codegenListDir",
        "List a folder, one level deep.",
        _list_dir,
        {"relativeWorkspacePath": text("The folder, relative to the working directory.")},
        ("relativeWorkspacePath",),
    ),
    Tool(
        "codegenReapply",
        "Apply the last edit of a file again with a better model. Needs a provider's key.",
        _needs_provider,
        {"targetFile": _TARGET},
        ("targetFile",),
    ),
    Tool(
        "codegenParallelApply",
        "Apply one plan to several regions of code at once. Needs a provider's key.",
        _needs_provider,
        {
            "editPlan": text("What is to be changed."),
            "editRegions": a_list(_REGION, "Where."),
        },
        ("editPlan", "editRegions"),
    ),
)

# Only there when the sandbox has one of KEYS in its environment.
TOOLS_WITH_KEY = (
    Tool(
        "codegenEditFile",
        "Change a file by a sketch of the edit.",
        _edit,
        {
            "targetFile": _TARGET,
            "instructions": text("What the edit does, in one sentence."),
            "codeEdit": text("The changed lines, with comments in place of what stays."),
        },
        ("targetFile", "instructions", "codeEdit"),
    ),
    Tool(
        "codegenRerank",
        "Rank a folder's files by how much they have to do with the query.",
        _rerank,
        {
            "path": text("The folder."),
            "query": text("What the files should be about."),
            "scoreThreshold": number("The least score, 0.5 unless given."),
            "tokenLimit": whole("How much text to look at, 30000 tokens unless given."),
            "filePattern": text("A regular expression for the files' names."),
        },
        ("path", "query"),
    ),
)
