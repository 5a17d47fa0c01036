"""Checks of a sandbox's `metadata` and `spec` in requests, field by field.

Image, memory, region and envs are kept exactly as written, because the SDK warns of a drift when
what it reads back differs from what it asked for.
"""

import re
from typing import Any

from local_blaxel import clock, fields, mounts
from local_blaxel.errors import Invalid
from local_blaxel.store import Record

DEFAULT_IMAGE = "blaxel/base-image:latest"
DEFAULT_MEMORY = 4096
DEFAULT_REGION = "us-pdx-1"
REGIONS = ("us-pdx-1", "us-was-1", "eu-lon-1", "eu-fra-1", "auto")
MASK = "****"
MAX_NAME_LENGTH = 49

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_EXTERNAL_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PROTOCOLS = ("HTTP", "TCP", "TLS", "UDP")
_EXTRA_ARGS = ("iptables", "nfs", "tun", "android", "landlock", "kernelExtensions")
_POLICIES = ("ttl-max-age", "ttl-idle", "date")
_OURS = ("workspace", "url", "createdAt", "updatedAt", "createdBy", "updatedBy", "plan")


def read(body: dict[str, Any]) -> Record:
    """The checked `metadata` and `spec` of a request; `metadata.name` may be absent."""
    return {
        "metadata": metadata(fields.maybe_object(body.get("metadata"), "metadata")),
        "spec": _spec(fields.maybe_object(body.get("spec"), "spec")),
    }


def routing(record: Record) -> list[Record]:
    """The rules by which the proxy of a sandbox sends its requests, as far as they are any."""
    proxy = record["spec"].get("network", {}).get("proxy")
    rules = proxy.get("routing") if isinstance(proxy, dict) else None
    return [rule for rule in rules if isinstance(rule, dict)] if isinstance(rules, list) else []


def check_name(name: Any, field: str = "metadata.name") -> str:
    if not isinstance(name, str) or len(name) > MAX_NAME_LENGTH or not _NAME.fullmatch(name):
        raise Invalid(
            f"{field} must be at most {MAX_NAME_LENGTH} lower-case letters, digits and "
            "single hyphens"
        )
    return name


def metadata(sent: dict[str, Any]) -> Record:
    """The checked metadata of a sandbox or a volume, without what the server writes."""
    kept = {key: value for key, value in sent.items() if value is not None and key not in _OURS}
    if kept.pop("name", None):
        kept["name"] = check_name(sent["name"])
    if "displayName" in kept:
        fields.a_string(kept["displayName"], "metadata.displayName", longest=63)
    external_id = fields.a_string(kept.get("externalId", ""), "metadata.externalId", longest=64)
    if external_id and not _EXTERNAL_ID.fullmatch(external_id):
        raise Invalid("metadata.externalId must be letters, digits and hyphens.")
    if not external_id:
        kept.pop("externalId", None)
    kept["labels"] = fields.a_string_map(kept.get("labels", {}), "metadata.labels")
    return kept


def _spec(sent: dict[str, Any]) -> Record:
    kept = {key: value for key, value in sent.items() if value is not None}
    if not fields.a_flag(kept.setdefault("enabled", True), "spec.enabled"):
        raise Invalid("spec.enabled: local_blaxel can't disable a sandbox.")
    if kept.setdefault("region", DEFAULT_REGION) not in REGIONS:
        message = f"spec.region must be one of {', '.join(REGIONS)}."
        raise Invalid(message, code="INVALID_REGION")
    if "volumes" in kept:
        kept["volumes"] = mounts.read(kept["volumes"])
    if "network" in kept:
        _check_network(fields.an_object(kept["network"], "spec.network"))
    if "lifecycle" in kept:
        _check_lifecycle(fields.an_object(kept["lifecycle"], "spec.lifecycle"))
    kept["runtime"] = _runtime(fields.maybe_object(kept.get("runtime"), "spec.runtime"))
    return kept


def _runtime(sent: dict[str, Any]) -> Record:
    kept = {key: value for key, value in sent.items() if value is not None}
    fields.a_string(kept.setdefault("image", DEFAULT_IMAGE), "spec.runtime.image", longest=512)
    memory = kept.setdefault("memory", DEFAULT_MEMORY)
    fields.a_number(memory, "spec.runtime.memory", 128, 262_144)
    if "ttl" in kept:
        fields.read_by(clock.duration, kept["ttl"], "spec.runtime.ttl")
    if "expires" in kept:
        fields.read_by(clock.moment, kept["expires"], "spec.runtime.expires")
    for grace in ("terminationGracePeriodSeconds", "standbyGracePeriodSeconds"):
        if grace in kept:
            fields.a_number(kept[grace], f"spec.runtime.{grace}", 0, 3600)
    if "ports" in kept:
        ports = fields.a_list(kept["ports"], "spec.runtime.ports", code="INVALID_PORTS")
        kept["ports"] = [_port(port, f"spec.runtime.ports[{i}]") for i, port in enumerate(ports)]
    if "envs" in kept:
        _check_envs(fields.a_list(kept["envs"], "spec.runtime.envs"))
    if "extraArgs" in kept:
        _check_extra_args(fields.an_object(kept["extraArgs"], "spec.runtime.extraArgs"))
    return kept


def _port(sent: Any, field: str) -> Record:
    port = {key: value for key, value in fields.an_object(sent, field).items() if value is not None}
    fields.a_number(port.get("target"), f"{field}.target", 1, 65_535, code="INVALID_PORTS")
    fields.a_string(port.get("name", ""), f"{field}.name", longest=63)
    protocol = fields.a_string(port.get("protocol", "HTTP"), f"{field}.protocol").upper()
    if protocol not in _PROTOCOLS:
        message = f"{field}.protocol must be one of {', '.join(_PROTOCOLS)}."
        raise Invalid(message, code="INVALID_PORTS")
    return {**port, "protocol": protocol}


def _check_envs(envs: list[Any]) -> None:
    for i, env in enumerate(envs):
        field = f"spec.runtime.envs[{i}]"
        name = fields.an_object(env, field).get("name")
        if not isinstance(name, str) or not _ENV_NAME.fullmatch(name):
            raise Invalid(f"{field}.name must be the name of an environment variable.")
        if "\0" in fields.a_string(env.get("value") or "", f"{field}.value", longest=131_072):
            raise Invalid(f"{field}.value holds a NUL.")
        if env.get("secret") is not None:
            fields.a_flag(env["secret"], f"{field}.secret")


def _check_extra_args(args: dict[str, Any]) -> None:
    for key, value in args.items():
        if key not in _EXTRA_ARGS:
            raise Invalid(f"spec.runtime.extraArgs.{key} is not one of {', '.join(_EXTRA_ARGS)}.")
        if value not in ("enabled", "disabled"):
            raise Invalid(f"spec.runtime.extraArgs.{key} must be enabled or disabled.")
    if args.get("nfs") == args.get("iptables") == "enabled":
        raise Invalid("spec.runtime.extraArgs: nfs and iptables exclude each other.")


def _check_network(network: dict[str, Any]) -> None:
    proxy = fields.maybe_object(network.get("proxy"), "spec.network.proxy")
    for place, holder in (("spec.network", network), ("spec.network.proxy", proxy)):
        for key in ("allowedDomains", "forbiddenDomains"):
            field = f"{place}.{key}"
            for i, domain in enumerate(fields.a_list(holder.get(key) or [], field)):
                fields.a_string(domain, f"{field}[{i}]", longest=253)


def _check_lifecycle(lifecycle: dict[str, Any]) -> None:
    if lifecycle.get("terminatedRetention"):
        field = "spec.lifecycle.terminatedRetention"
        fields.read_by(clock.duration, lifecycle["terminatedRetention"], field)
    seen = set()
    policies = lifecycle.get("expirationPolicies") or []
    for i, policy in enumerate(fields.a_list(policies, "spec.lifecycle.expirationPolicies")):
        field = f"spec.lifecycle.expirationPolicies[{i}]"
        kind = fields.an_object(policy, field).get("type")
        if kind not in _POLICIES or kind in seen:
            raise Invalid(f"{field}.type must be one of {', '.join(_POLICIES)}, each once.")
        if policy.get("action", "delete") != "delete":
            raise Invalid(f"{field}.action must be delete.")
        reader = clock.moment if kind == "date" else clock.duration
        fields.read_by(reader, policy.get("value"), f"{field}.value")
        seen.add(kind)
