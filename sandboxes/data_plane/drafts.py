"""Writing a file so that nothing of the old one goes before all of the new one is there.

Blaxel's API empties a file first and fills it then: where the disk is full, or the sandbox stops,
both contents are lost. So the new one is written into a draft beside the file, and a script puts
the draft in its place, if the file is still the one that was expected. Scripts wait for one
another, so that of two who write over the same version one is refused.

The text is no part of the script's call: a command may be given less than many a text has, and
those that were given can be read in the list of processes.
"""

import posixpath
import secrets
from contextlib import suppress

from sandboxes import errors
from sandboxes.data_plane import failures, files, names, trusted
from sandboxes.data_plane.processes import run_script
from sandboxes.models.reach import Reach

# Names with this prefix are not shown. What an upload that broke off leaves goes after an hour.
PREFIX = ".manta-draft-"
# Less than what a request may take.
_SECONDS = 50
# Everything that runs may write there, in every image.
_ELSEWHERE = "/tmp/"  # noqa: S108
_PLACE = trusted.read_script("place_draft.sh")


def beside(path: str) -> str:
    """A new draft's path."""
    return posixpath.join(posixpath.dirname(path), f"{PREFIX}{secrets.token_hex(8)}")


def write(reach: Reach, path: str, content: bytes, *, version: str | None, most: int) -> None:
    """Write a file of a few megabytes, with the folders above it. Raises what place does.

    That is one transfer, in several requests above `files.PART`, and one call of the script.
    """
    draft, denied = beside(path), None
    try:
        try:
            files.write(reach, draft, content, meant=path)
        except errors.FileDenied as exc:
            # A file that is there may be written to also where no other may be made.
            draft, denied = beside(_ELSEWHERE), exc
            files.write(reach, draft, content, meant=path)
        place(reach, draft, path, version=version, most=most)
    except BaseException as exc:
        remove(reach, draft)
        if denied and isinstance(exc, errors.FileDenied):
            raise denied from exc
        raise


def place(
    reach: Reach,
    draft: str,
    path: str,
    *,
    version: str | None = None,
    most: int = 0,
    overwrite: bool = False,
) -> None:
    """Put a draft in the place of that version of a file, or where there is none yet; or else
    overwrite whichever file is there. It keeps its permissions, owner and links.

    A version is the beginning of a file's SHA-256; where it has more than `most` bytes, its size
    and time. Raises FileExists, ChangedOnDisk, or another FileError: then the file is as it was.
    """
    expected = "any" if overwrite else "nothing" if version is None else f"={version}"
    values = {
        "DRAFT": names.raw(draft),
        "BESIDE": names.raw(draft),
        "TARGET": names.raw(path),
        "EXPECTED": expected,
        "MOST": str(most),
    }
    ran = run_script(reach, _PLACE, values, _SECONDS)
    if ran.exit_code:
        known = _refusal(ran.exit_code, path) or files.explained(path, failures.code_in(ran.stderr))
        raise known or errors.BadPath(f"The sandbox could not write to {path}.")


def _refusal(exit_code: int, path: str) -> errors.FileError | None:
    """Return the error that the script found by itself; None for one of the system's."""
    match exit_code:
        case 11:
            return errors.FileExists(f"{path} already exists.")
        case 12:
            return errors.ChangedOnDisk(
                f"{path} was changed, moved or deleted since you opened it."
            )
        case 13:
            return errors.NotAFile(f"{path} is a folder.")
        case 14:
            return errors.NotAFile(f"{path} is a device or a pipe, not a file.")
        case 15:
            return errors.BadPath(f"The link at {path} is broken.")
        case 16:
            return errors.FileDenied(f"{path} can't be changed: permission denied.")
    return None


def remove(reach: Reach, draft: str) -> None:
    """Remove what there is of a draft; one that can't be reached goes later."""
    with suppress(errors.SandboxError):
        files.delete(reach, draft)
