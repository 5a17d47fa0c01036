"""Moving, deleting and restoring what is in a sandbox: what its API has no call for."""

import posixpath
import secrets

from django.core import signing

from sandboxes import errors
from sandboxes.data_plane import drafts, failures, files, names, trusted
from sandboxes.data_plane.processes import Ran, run_script
from sandboxes.models import Sandbox
from sandboxes.services.files import TRASH, TRASH_NAMES, require_files

_SCRIPT_SECONDS = 15
# Signs what brings something deleted back: the name of the module that did it at first.
_SALT = "sandboxes.services.files"

_MOVE, _TRASH = (
    trusted.read_script("moving.sh") + trusted.read_script(name) for name in ("move.sh", "trash.sh")
)


def move_path(*, sandbox: Sandbox, source: str, destination: str, overwrite: bool = False) -> None:
    """Move or rename. Files are overwritten only when told to, folders never.

    Raises FileNotFound, FileExists, or another FileError.
    """
    require_files(sandbox)
    _refuse_root(source)
    if f"{destination}/".startswith(f"{source}/"):
        raise errors.BadPath(f"{source} can't be moved into itself.")
    how = {"OVERWRITE": "1" if overwrite else ""}
    _expect_done(_move(sandbox, source, destination, how), source, destination)


def _move(sandbox: Sandbox, source: str, destination: str, how: dict[str, str]) -> Ran:
    values = {
        "SOURCE": names.raw(source),
        "PARENT": names.raw(posixpath.dirname(source)),
        "TARGET": names.raw(destination),
        "DRAFT": names.raw(drafts.beside(destination)),
    }
    return run_script(sandbox.reach, _MOVE, values | how, _SCRIPT_SECONDS)


def delete_path(*, sandbox: Sandbox, path: str, forever: bool = False) -> str | None:
    """Move into the trash; what is returned brings it back for a day. None when it is forever."""
    require_files(sandbox)
    _refuse_root(path)
    if forever:
        files.delete(sandbox.reach, path)
        return None
    parent, number = posixpath.dirname(path), secrets.token_hex(8)
    beside = posixpath.join(parent, TRASH_NAMES[1])
    values = {
        "SOURCE": names.raw(path),
        "PARENT": names.raw(parent),
        "TRASH": TRASH,
        "BESIDE": names.raw(beside),
        "ID": number,
    }
    ran = run_script(sandbox.reach, _TRASH, values, _SCRIPT_SECONDS)
    _expect_done(ran, path, path)
    item = posixpath.join(beside if ran.stdout == "beside" else TRASH, number, "item")
    return signing.dumps([sandbox.name, item, path], salt=_SALT, compress=True)


def restore_path(
    *, sandbox: Sandbox, trashed: str, destination: str | None = None, make_folders: bool = False
) -> str:
    """Undo a deletion, at its old path or at another one; returns the path.

    Raises FileExists when something took its place, and FolderNotFound when its folder is gone and
    is not to be made again.
    """
    require_files(sandbox)
    try:
        name, item, path = signing.loads(trashed, salt=_SALT)
    except signing.BadSignature as exc:
        raise errors.FileNotFound("This is not in the trash.") from exc
    if name != sandbox.name:
        raise errors.FileNotFound("This is not in the trash.")
    path = destination or str(path)
    how = {"FOLDERS": "1" if make_folders else ""}
    _expect_done(_move(sandbox, item, path, how), path, path)
    return path


def _refuse_root(path: str) -> None:
    if path == "/" or f"{TRASH}/".startswith(f"{path}/"):
        raise errors.BadPath(f"The sandbox needs {path}.")


def _expect_done(ran: Ran, source: str, destination: str) -> None:
    code = failures.code_in(ran.stderr)
    if ran.exit_code == 10 and code in ("", "ENOENT"):
        raise errors.FileNotFound(f"There is nothing at {source} any more.")
    if ran.exit_code == 11:
        raise errors.FileExists(f"Something already exists at {destination}.")
    if ran.exit_code == 13:
        raise errors.FileDenied(f"The sandbox does not allow this at {source}.")
    if ran.exit_code and code == "ENOENT":
        # What is moved was there.
        raise errors.FolderNotFound(f"Folder not found: {posixpath.dirname(destination)}.")
    if ran.exit_code:
        known = files.explained(source if ran.exit_code == 10 else destination, code)
        raise known or errors.BadPath(f"The sandbox could not do this with {source}.")
