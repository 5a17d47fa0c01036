"""`spec.volumes`: where volumes are attached, checked field by field."""

import posixpath
from typing import Any

from local_blaxel import fields
from local_blaxel.errors import Invalid
from local_blaxel.store import Record

CODE = "INVALID_VOLUME"
LARGEST_MB = 16 * 1024 * 1024
MAX_MOUNTS = 8

# What a sandbox can't do without, or can't have a folder made in.
_TAKEN = ("/", "/blaxel", "/home", "/opt", "/tmp", "/var")  # noqa: S108
_CLOSED: tuple[str, ...] = (
    "bin",
    "boot",
    "dev",
    "etc",
    "lib",
    "lib32",
    "lib64",
    "libx32",
    "opt/local_blaxel",
)
_CLOSED += ("proc", "root", "run", "sbin", "sys", "usr")


def read(sent: Any) -> list[Record]:
    volumes = [_volume(each, i) for i, each in enumerate(_listed(sent))]
    if sum(volume["type"] == "persistent" for volume in volumes) > 1:
        raise Invalid("spec.volumes: a sandbox has one persistent volume at most.", code=CODE)
    paths = [volume["mountPath"] for volume in volumes]
    for i, path in enumerate(paths):
        if any(_is_within(path, other) for other in paths[:i] + paths[i + 1 :]):
            message = f"spec.volumes[{i}].mountPath {path} is within another one."
            raise Invalid(message, code=CODE)
    return volumes


def persistent(record: Record) -> Record | None:
    """The persistent volume among those of a sandbox's record."""
    volumes: list[Record] = record["spec"].get("volumes", [])
    return next((each for each in volumes if each["type"] == "persistent"), None)


def _listed(sent: Any) -> list[Any]:
    volumes = fields.a_list(sent, "spec.volumes", code=CODE)
    if len(volumes) > MAX_MOUNTS:
        raise Invalid(f"spec.volumes: at most {MAX_MOUNTS} can be attached.", code=CODE)
    return volumes


def _volume(sent: Any, at: int) -> Record:
    field = f"spec.volumes[{at}]"
    given = fields.an_object(sent, field).items()
    volume = {key: value for key, value in given if value is not None}
    name = volume.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= 63:
        raise Invalid(f"{field}.name must be a volume's name.", code=CODE)
    if volume.setdefault("type", "persistent") not in ("persistent", "ephemeral"):
        raise Invalid(f"{field}.type must be persistent or ephemeral.", code=CODE)
    fields.a_flag(volume.setdefault("readOnly", False), f"{field}.readOnly")
    if volume["type"] == "ephemeral":
        fields.a_number(volume.get("sizeMb"), f"{field}.sizeMb", 1, LARGEST_MB, code=CODE)
    volume["mountPath"] = _mount_path(volume.get("mountPath"), f"{field}.mountPath")
    return volume


def _mount_path(sent: Any, field: str) -> str:
    path = sent if isinstance(sent, str) and len(sent) <= 1024 else ""
    normal = posixpath.normpath(path)
    if not path.startswith("/") or path.startswith("//") or ".." in path.split("/"):
        raise Invalid(f"{field} must be an absolute path.", code=CODE)
    if not path.isprintable() or any(_is_within(normal, f"/{name}") for name in _CLOSED):
        raise Invalid(f"{field}: nothing can be mounted at {path}.", code=CODE)
    if normal in _TAKEN:
        raise Invalid(f"{field}: {path} is the sandbox's own.", code=CODE)
    return normal


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")
