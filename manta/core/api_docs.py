"""The page that describes the REST API, made from its OpenAPI schema."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from drf_spectacular.generators import SchemaGenerator
from markdown_it import MarkdownIt

Schema = dict[str, Any]
_LIMITS = {
    "default": "default {}",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "maxLength": "at most {} characters",
}
# Lets no HTML through, unlike CommonMark.
_markdown = MarkdownIt("js-default")


@dataclass(frozen=True)
class Kind:
    """A type in words, and the object that they end with."""

    words: str
    object: str = ""


@require_GET
def api_docs(request: HttpRequest) -> HttpResponse:
    """Public, as the schema is."""
    groups: dict[str, list[Schema]] = {}
    for path, methods in _schema()["paths"].items():
        for method, operation in methods.items():
            command = _curl(method.upper(), request.build_absolute_uri(path), operation)
            told = _operation(method.upper(), path, operation) | {"command": command}
            groups.setdefault(operation["tags"][0], []).append(told)
    components = _schema()["components"]
    context = {
        "about": _schema()["info"]["description"],
        "token": _html(components["securitySchemes"]["personalToken"]),
        "groups": groups,
        # What is sent is told where it is sent.
        "objects": [
            _object(name, schema)
            for name, schema in components["schemas"].items()
            if "properties" in schema and not name.endswith("Request")
        ],
    }
    return render(request, "api_docs.html", context)


@cache
def _schema() -> Schema:
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    schema: Schema = generator.get_schema(public=True)  # type: ignore[no-untyped-call]
    return schema


def _operation(method: str, path: str, operation: Schema) -> Schema:
    bodies = operation.get("requestBody", {}).get("content", {})
    answers: dict[tuple[str, Kind], list[str]] = {}
    for status, answer in sorted(operation["responses"].items()):
        said = answer.get("description", ""), _content(answer.get("content", {}))
        answers.setdefault(said, []).append(status)
    return {
        "id": operation["operationId"],
        "method": method,
        "path": path,
        "summary": operation["summary"],
        "description": _html(operation),
        "parameters": [_parameter(each) for each in operation.get("parameters", [])],
        "fields": _fields(_sent(bodies)),
        "answers": [(statuses, *said) for said, statuses in answers.items()],
    }


def _object(name: str, schema: Schema) -> Schema:
    fields = _fields(schema, required="", optional="may be missing")
    return {"name": name, "description": _html(schema), "fields": fields}


def _content(content: Schema) -> Kind:
    for kind, described in content.items():
        return _kind(described["schema"]) if kind == "application/json" else Kind(kind)
    return Kind("nothing")


def _sent(content: Schema) -> Schema:
    """A body's schema, less what only answers have."""
    schema = _followed(content.get("application/json", {}).get("schema", {}))
    properties = schema.get("properties", {}).items()
    return {**schema, "properties": {k: each for k, each in properties if "readOnly" not in each}}


def _fields(schema: Schema, required: str = "required", optional: str = "") -> list[Schema]:
    return [
        _field(name, each, [required if name in schema.get("required", []) else optional])
        for name, each in schema.get("properties", {}).items()
    ]


def _parameter(parameter: Schema) -> Schema:
    where = [parameter["in"], "required" if parameter.get("required") else ""]
    described = {**parameter["schema"], "description": parameter.get("description", "")}
    return _field(parameter["name"], described, where)


def _field(name: str, schema: Schema, notes: list[str]) -> Schema:
    if schema.get("nullable"):
        notes.append("may be null")
    notes += [words.format(json.dumps(schema[k])) for k, words in _LIMITS.items() if k in schema]
    return {
        "name": name,
        "kind": _kind(schema),
        "notes": ", ".join(filter(None, notes)),
        "description": _html(schema),
    }


def _followed(schema: Schema) -> Schema:
    """Return the schema that references lead to; in OpenAPI 3.0 a nullable one is wrapped."""
    [part, *_] = schema.get("allOf") or schema.get("oneOf") or [schema]
    if "$ref" not in part:
        return schema
    name = part["$ref"].rpartition("/")[2]
    return {"name": name, **_schema()["components"]["schemas"][name]}


def _kind(schema: Schema) -> Kind:
    schema = _followed(schema)
    if "name" in schema and "properties" in schema:
        return Kind("", schema["name"])
    if "items" in schema:
        inner = _kind(schema["items"])
        return Kind(f"list of {inner.words}", inner.object)
    if "enum" in schema:
        return Kind(" | ".join(map(str, schema["enum"])))
    return Kind(schema.get("format") or schema.get("type", "anything"))


def _curl(method: str, url: str, operation: Schema) -> str:
    """Return a curl command with placeholders in capitals; "" where only a browser may ask."""
    if {"personalToken": []} not in operation["security"]:
        return ""
    needed = [each for each in operation.get("parameters", []) if each.get("required")]
    for each in needed:
        url = url.replace(f"%7B{each['name']}%7D", each["name"].upper())
    query = "&".join(f"{e['name']}={e['name'].upper()}" for e in needed if e["in"] == "query")
    parts = ["curl --head" if method == "HEAD" else f"curl --request {method}"]
    parts.append('--header "Authorization: Bearer $MANTA_TOKEN"')
    bodies = operation.get("requestBody", {}).get("content", {})
    if "application/json" in bodies:
        parts.append(f"--json '{json.dumps(_sample(_sent(bodies)))}'")
    elif bodies:
        parts.append("--data-binary @FILE")
    parts.append(f'"{url}?{query}"' if query else f'"{url}"')
    return " \\\n  ".join(parts)


def _sample(body: Schema) -> Schema:
    return {
        name: each.get("minimum", name.upper())
        for name, each in body["properties"].items()
        if name in body.get("required", [])
    }


def _html(described: Schema) -> str:
    html: str = _markdown.render(described.get("description", ""))
    return html
