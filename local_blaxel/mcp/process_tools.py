"""The tools for processes."""

import secrets

from local_blaxel.mcp.agent import CALL_SECONDS, Agent, of_process
from local_blaxel.mcp.tool import Given, Output, Tool, a_list, flag, text, texts, whole

DEFAULT_SECONDS = 30
_PASSED_ON = ("command", "workingDir", "env", "waitForPorts", "restartOnFailure", "maxRestarts")


async def _list(agent: Agent, given: Given) -> Output:
    return {"processes": await agent.call("GET", "/process")}


async def _execute(agent: Agent, given: Given) -> Output:
    name = given.get("name") or f"proc-{secrets.token_hex(4)}"
    body = {key: given[key] for key in _PASSED_ON if key in given}
    body |= {"name": name, "waitForCompletion": given.get("waitForCompletion", False)}
    if given.get("keepAlive"):
        # Only then does it end the process, too.
        body |= {"keepAlive": True} | ({"timeout": given["timeout"]} if "timeout" in given else {})
    seconds = min(given.get("timeout") or _default_seconds(given), CALL_SECONDS)
    try:
        process = await agent.call("POST", "/process", body, seconds=max(seconds, 1))
    except TimeoutError:
        process = await agent.call("GET", of_process(name))
        process |= {"pollRequired": True, "message": _poll(name, seconds)}
    kept = ("pid", "name", "status", "exitCode", "logs", "message", "pollRequired")
    return {key: process[key] for key in kept if key in process}


def _default_seconds(given: Given) -> float:
    return CALL_SECONDS if given.get("keepAlive") else DEFAULT_SECONDS


def _poll(name: str, seconds: float) -> str:
    return (
        f"The process still runs after {seconds:g} seconds, and goes on. Look at it again with "
        f"processGet or processGetLogs and the identifier {name!r}."
    )


async def _get(agent: Agent, given: Given) -> Output:
    process: Output = await agent.call("GET", of_process(given["identifier"]))
    return process


async def _logs(agent: Agent, given: Given) -> Output:
    logs = await agent.call("GET", of_process(given["identifier"]) + "/logs")
    return {"logs": logs["logs"]}


async def _stop(agent: Agent, given: Given) -> Output:
    await agent.call("DELETE", of_process(given["identifier"]))
    return {"status": "stopped"}


async def _kill(agent: Agent, given: Given) -> Output:
    await agent.call("DELETE", of_process(given["identifier"]) + "/kill")
    return {"status": "killed"}


_IDENTIFIER = {"identifier": text("The process: its pid or its name.")}
_ONE = ("identifier",)

TOOLS = (
    Tool("processesList", "List every process, running and finished.", _list),
    Tool(
        "processExecute",
        "Run a shell command in the sandbox. Without waitForCompletion it goes on in the "
        "background. A wait ends after 58 seconds at most: then pollRequired is true and the "
        "process goes on.",
        _execute,
        {
            "command": text("The command, for a shell."),
            "name": text("A name to find the process by; one is made up otherwise."),
            "workingDir": text("The folder to run in; otherwise the sandbox's working directory."),
            "env": texts("Environment variables, added to the sandbox's own."),
            "waitForCompletion": flag("Answer when the command has ended, with its output."),
            "timeout": whole(
                "Seconds to wait, 30 unless given. With keepAlive, seconds after which the "
                "process is killed: 600 unless given, 0 for never."
            ),
            "waitForPorts": a_list(
                {"type": "integer"}, "Answer once servers listen on these ports, beyond loopback."
            ),
            "restartOnFailure": flag("Start the command again when it fails."),
            "maxRestarts": whole("How often at most; negative for no limit."),
            "keepAlive": flag("Keep the sandbox awake as long as the process runs."),
        },
        ("command",),
    ),
    Tool("processGet", "Show one process.", _get, _IDENTIFIER, _ONE),
    Tool("processGetLogs", "Read the output of a process.", _logs, _IDENTIFIER, _ONE),
    Tool("processStop", "Ask a process to end (SIGTERM).", _stop, _IDENTIFIER, _ONE),
    Tool("processKill", "Kill a process (SIGKILL).", _kill, _IDENTIFIER, _ONE),
)
