"""Settings that differ between what was asked for and what the provider has."""

from typing import Any

from sandboxes.control_plane.types import ProviderSandbox
from sandboxes.models import Sandbox

_RESET = "Takes effect on Reset."
_REMEDY = {"labels": "Manta corrects it automatically."}
_NAMES = {"memory_mb": "memory (MB)"}


def drift_of(sandbox: Sandbox, record: ProviderSandbox) -> dict[str, str]:
    """Return the provider's differing values by field; a value it does not give is no drift.

    The expiry is not here: it moves with each use, and is settled as it does.
    """
    found: dict[str, str] = {}
    if record.memory_mb is not None and record.memory_mb != sandbox.memory_mb:
        found["memory_mb"] = str(record.memory_mb)
    if record.image and _tagged(record.image) != _tagged(sandbox.image):
        found["image"] = record.image
    if record.region and sandbox.region not in ("", "auto", record.region):
        found["region"] = record.region
    if record.ports is not None and not _ports(sandbox.ports) <= record.ports:
        found["ports"] = _listed(record.ports)
    if any(record.labels.get(name) != value for name, value in sandbox.labels.items()):
        found["labels"] = _listed({f"{name}={value}" for name, value in record.labels.items()})
    return found


def notes(sandbox: Sandbox) -> list[str]:
    """Each difference as a sentence, with what would settle it."""
    return [
        f"{_NAMES.get(field, field)}: {found} at the provider, {_wanted(sandbox, field)} wanted. "
        f"{_REMEDY.get(field, _RESET)}"
        for field, found in sorted(sandbox.drift.items())
    ]


def _wanted(sandbox: Sandbox, field: str) -> str:
    if field == "ports":
        return _listed(_ports(sandbox.ports))
    if field == "labels":
        return _listed({f"{name}={value}" for name, value in sandbox.labels.items()})
    return str(getattr(sandbox, field))


def _tagged(image: str) -> str:
    return image if ":" in image.rpartition("/")[2] else f"{image}:latest"


def _ports(ports: list[dict[str, Any]]) -> frozenset[str]:
    return frozenset(f"{port['target']}/{port.get('protocol', 'HTTP')}" for port in ports)


def _listed(values: "set[str] | frozenset[str]") -> str:
    return ", ".join(sorted(values)) or "none"
