"""Specification of a fork: the record of its source, changed as the caller asks."""

import secrets
from copy import deepcopy
from typing import Any

from local_blaxel import fields, spec
from local_blaxel.errors import Invalid
from local_blaxel.store import Record


def temporary_id(kind: str) -> str:
    """Names a folder of files that one sandbox is going to be made from."""
    return f"{kind}-{secrets.token_hex(8)}"


def record(source: Record, body: dict[str, Any]) -> Record:
    """The new sandbox's record; its persistent volume stays with the source."""
    if body.get("targetType", "sandbox") != "sandbox":
        raise Invalid("targetType must be sandbox: local_blaxel has no applications.")
    forked = deepcopy(source)
    metadata, wanted = forked["metadata"], forked["spec"]
    metadata.pop("externalId", None)
    metadata["name"] = spec.check_name(body.get("targetName"), "targetName")
    volumes = wanted.get("volumes", [])
    wanted["volumes"] = [volume for volume in volumes if volume["type"] == "ephemeral"]
    if body.get("lifecycle") is not None:
        wanted["lifecycle"] = body["lifecycle"]
        wanted["runtime"].pop("ttl", None)
        wanted["runtime"].pop("expires", None)
    envs = {env["name"]: env for env in wanted["runtime"].get("envs", [])}
    for i, env in enumerate(fields.a_list(body.get("envs") or [], "envs")):
        named = fields.an_object(env, f"envs[{i}]")
        envs[str(named.get("name"))] = named
    wanted["runtime"]["envs"] = list(envs.values())
    return spec.read(forked)
