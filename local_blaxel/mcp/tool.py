"""Tools: a row with a name, a description, a schema and a function."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from local_blaxel.mcp.agent import Agent

Schema = dict[str, Any]
Given = dict[str, Any]
Output = dict[str, Any]

_KINDS: dict[str, tuple[type, str]] = {
    "string": (str, "a string"),
    "boolean": (bool, "true or false"),
    "integer": (int, "a whole number"),
    "number": (float, "a number"),
    "array": (list, "a list"),
    "object": (dict, "an object"),
}


@dataclass(frozen=True)
class Tool:
    name: str
    description: str
    run: Callable[[Agent, Given], Awaitable[Output]]
    inputs: dict[str, Schema] = field(default_factory=dict)
    required: tuple[str, ...] = ()

    @property
    def schema(self) -> Schema:
        return an_object(self.inputs, self.required)

    def listed(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "description": self.description,
            "inputSchema": self.schema,
        }


def text(description: str) -> Schema:
    return {"type": "string", "description": description}


def flag(description: str) -> Schema:
    return {"type": "boolean", "description": description}


def whole(description: str) -> Schema:
    return {"type": "integer", "description": description}


def number(description: str) -> Schema:
    return {"type": "number", "description": description}


def a_list(items: Schema, description: str) -> Schema:
    return {"type": "array", "items": items, "description": description}


def an_object(properties: dict[str, Schema], required: tuple[str, ...] = ()) -> Schema:
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return schema | ({"required": list(required)} if required else {})


def texts(description: str) -> Schema:
    """An object of strings."""
    values = {"type": "string"}
    return {"type": "object", "additionalProperties": values, "description": description}


def given(tool: Tool, arguments: Given) -> Given:
    """The arguments without those that are null. Raises ValueError, which names what is wrong."""
    present = {name: value for name, value in arguments.items() if value is not None}
    _check(present, tool.schema, "the arguments")
    return present


def _check(value: Any, schema: Schema, where: str) -> None:
    kind, described = _KINDS[schema["type"]]
    is_flag = isinstance(value, bool)
    if kind is float and isinstance(value, int) and not is_flag:
        value = float(value)
    if not isinstance(value, kind) or is_flag != (kind is bool):
        raise ValueError(f"{where} must be {described}")
    if isinstance(value, list):
        for index, item in enumerate(value):
            _check(item, schema["items"], f"{where}[{index}]")
    if isinstance(value, dict):
        _check_object(value, schema, where)


def _check_object(value: dict[str, Any], schema: Schema, where: str) -> None:
    missing = [name for name in schema.get("required", ()) if name not in value]
    if missing:
        raise ValueError(f"{missing[0]} is required")
    properties = schema.get("properties", {})
    for name, item in value.items():
        described = properties.get(name) or schema["additionalProperties"]
        if not described:
            raise ValueError(f"{where} can't hold {name!r}")
        _check(item, described, name)
