"""Checks of updates. The SDK reads a record, changes a field and sends all of it back."""

import json
from typing import Any

from local_blaxel import fields, spec
from local_blaxel.errors import Invalid
from local_blaxel.store import Record

_KEPT_OF_RUNTIME = ("image", "memory", "ports", "envs", "extraArgs")
_KEPT_OF_SPEC = ("enabled", "region", "volumes")


def apply(current: Record, body: dict[str, Any]) -> Record:
    """The record after an update; Invalid names a field that can't change.

    An absent ttl, lifecycle or network is cleared. An absent field that can't change, and absent
    ports and envs, are kept.
    """
    wanted = spec.read(_completed(current, body))
    _refuse_fixed(current, wanted)
    _unmask(current, wanted)
    _keep_routing_secrets(current, wanted)
    return wanted


def envs_differ(current: Record, wanted: Record) -> bool:
    return environment(current) != environment(wanted)


def environment(record: Record) -> dict[str, str]:
    envs = record["spec"]["runtime"].get("envs", [])
    return {env["name"]: env.get("value") or "" for env in envs}


def _completed(current: Record, body: dict[str, Any]) -> Record:
    metadata = fields.maybe_object(body.get("metadata"), "metadata")
    sent = fields.maybe_object(body.get("spec"), "spec")
    runtime = fields.maybe_object(sent.get("runtime"), "spec.runtime")
    old = current["spec"]
    return {
        "metadata": {**_picked(current["metadata"], ("name", "externalId")), **metadata},
        "spec": {
            **_picked(old, _KEPT_OF_SPEC),
            **_given(sent),
            "runtime": {**_picked(old["runtime"], _KEPT_OF_RUNTIME), **_given(runtime)},
        },
    }


def _picked(values: Record, keys: tuple[str, ...]) -> Record:
    return {key: values[key] for key in keys if key in values}


def _given(values: Record) -> Record:
    return {key: value for key, value in values.items() if value is not None}


def _refuse_fixed(current: Record, wanted: Record) -> None:
    old, new = current["spec"], wanted["spec"]
    pairs = {
        "metadata.name": (current["metadata"]["name"], wanted["metadata"].get("name")),
        "spec.region": (old["region"], new["region"]),
        "spec.runtime.image": (old["runtime"]["image"], new["runtime"]["image"]),
        "spec.runtime.memory": (old["runtime"]["memory"], new["runtime"]["memory"]),
        "spec.volumes": tuple(each.get("volumes", []) for each in (old, new)),
        "spec.runtime.extraArgs": tuple(r["runtime"].get("extraArgs") for r in (old, new)),
    }
    for field, (before, after) in pairs.items():
        if before != after:
            raise Invalid(f"{field} can't be changed: delete the sandbox and create it again.")


def _unmask(current: Record, wanted: Record) -> None:
    kept = environment(current)
    for i, env in enumerate(wanted["spec"]["runtime"].get("envs", [])):
        if env.get("value") != spec.MASK:
            continue
        if env["name"] not in kept:
            raise Invalid(f"spec.runtime.envs[{i}].value is masked: send the value itself.")
        env["value"] = kept[env["name"]]


def _keep_routing_secrets(current: Record, wanted: Record) -> None:
    """Give each rule that names no secrets the ones that it has: no read has shown them."""
    known = {_without_secrets(rule): rule.get("secrets") for rule in spec.routing(current)}
    for rule in spec.routing(wanted):
        secrets = known.get(_without_secrets(rule))
        if secrets is not None and rule.get("secrets") is None:
            rule["secrets"] = secrets


def _without_secrets(rule: Record) -> str:
    return json.dumps({**rule, "secrets": None}, sort_keys=True)
